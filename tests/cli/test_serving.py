"""The end of what serves; the options are in test_proxy.py and test_forward.py."""

from __future__ import annotations

import asyncio

import pytest

from bridge.cli.serving import board_for, serve_for
from bridge.errors import LinkTimeout, UsageError
from bridge.virtual import clock


def test_it_ends_with_its_time_and_with_the_board() -> None:
    async def lost() -> None:
        raise LinkTimeout("The board is gone")  # also a TimeoutError, and no end of the time

    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await serve_for(asyncio.sleep(100), 5.0)
        assert loop.time() - began == pytest.approx(5)
        with pytest.raises(LinkTimeout):
            await serve_for(lost(), 5.0)
        with pytest.raises(LinkTimeout):
            await serve_for(lost(), None)

    clock.run(main())


def test_the_virtual_clock_is_no_place_for_it() -> None:
    with pytest.raises(UsageError, match="A thing cannot live on the virtual clock"):
        board_for("A thing", "virtual:?clock=virtual", None, 115_200, None)
