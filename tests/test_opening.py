"""Opening a board, and what is left of an attempt that failed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge import sync
from bridge.errors import LinkError, NotNodeMCU, PortNotFound, UsageError
from bridge.lifecycle import State
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.virtual_link import virtual_port


def test_what_cannot_be_opened_leaves_nothing_open() -> None:
    async def main() -> None:
        with pytest.raises(PortNotFound):
            await open_board("/dev/nosuchport")
        async with VirtualBoard(VirtualOptions(clock="virtual", blank=True)) as virtual:
            port = VirtualPort(virtual)
            with pytest.raises(NotNodeMCU, match="virtual:"):
                async with open_board(port):
                    pytest.fail("opened an empty board")
            port.write(b"still the caller's")
            await port.close()

    clock.run(main())


@pytest.mark.parametrize(("slow_handler", "seconds"), [(False, 0.01), (False, 0.03), (True, 0.5)])
def test_a_closing_that_is_given_up_leaves_the_port_to_the_next(slow_handler: bool, seconds: float) -> None:
    async def main() -> None:
        async with virtual_port() as port:
            board = await open_board(port, speeds=(921_600,))
            assert port.baud == 921_600

            async def handler(data: bytes) -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    await asyncio.sleep(1)

            if slow_handler:
                board.on("console", handler)
            await board.exec("print('called')")
            waiting = asyncio.ensure_future(
                board.eval("(function(ask) return ask() end)(...)", lambda: asyncio.sleep(60), timeout=None)
            )
            await asyncio.sleep(0.1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(seconds):
                    await board.close()
            with pytest.raises(LinkError):
                await waiting
            assert board.state is State.CLOSED and port.baud == 115_200
            async with open_board(port, speeds=()) as again:
                assert await again.eval("1+1") == 2
            assert asyncio.all_tasks() == {asyncio.current_task()}

    clock.run(main())


@pytest.mark.parametrize("port", [5, None, b"/dev/ttyUSB0", Path("/dev/ttyUSB0"), object])
def test_what_is_no_port(port: Any) -> None:
    with pytest.raises(UsageError, match="is no port"):
        open_board(port)
    with pytest.raises(UsageError, match="is no port"):
        sync.open_board(port)
