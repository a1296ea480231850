from __future__ import annotations

import asyncio

import pytest

from bridge.streams.deliver import give
from tests.streams.recording import Buffered, Recording


def test_either_kind_of_protocol_gets_all_of_it() -> None:
    async def main() -> None:
        plain, small = Recording(), Buffered(7)
        give(plain, b"0123456789")
        give(small, b"0123456789")
        assert bytes(plain.data) == bytes(small.data) == b"0123456789"

    asyncio.run(main())


def test_a_protocol_without_room() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="empty buffer"):
            give(Buffered(0), b"x")

    asyncio.run(main())
