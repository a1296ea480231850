from __future__ import annotations

import asyncio

from bridge.bench.strain import forget_strain, strain_of
from bridge.virtual import clock
from tests.virtual_link import virtual_port


def test_a_board_that_cannot_tell_tells_nothing() -> None:
    forget_strain(None)
    assert strain_of(None) is None


def test_a_board_tells_of_its_work_since_it_was_asked_to_forget() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            await port.board.answered()
            booted = strain_of(port.board)
            forget_strain(port.board)
            port.board.host_write(b"for i=1,2000 do local t={} end\r\n")
            await asyncio.sleep(5)
            worked = strain_of(port.board)
        assert booted is not None and worked is not None
        assert booted["longest_task"] == "boot" and worked["longest_task"] == "console line"
        assert worked["longest_task_ms"] > 2 and worked["ring_bytes_lost"] == 0
        assert worked["full_collections"] > 1000 and worked["collection_ms"] > 100

    clock.run(main())
