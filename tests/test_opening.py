"""Opening a board, and what is left of an attempt that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge import sync
from bridge.errors import NotNodeMCU, PortNotFound, UsageError
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort


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


@pytest.mark.parametrize("port", [5, None, b"/dev/ttyUSB0", Path("/dev/ttyUSB0"), object])
def test_what_is_no_port(port: Any) -> None:
    with pytest.raises(UsageError, match="is no port"):
        open_board(port)
    with pytest.raises(UsageError, match="is no port"):
        sync.open_board(port)
