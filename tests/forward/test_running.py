"""What is said of places that cannot be listened on."""

from __future__ import annotations

import asyncio
import errno

import pytest

from bridge.errors import ConnectionLost, LinkError, LuaError, PortBusy, PortError
from bridge.forward.opening import open_forwards
from bridge.forward.running import not_here, not_on_board
from bridge.forward.specification import local
from bridge.opening import open_board


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EADDRINUSE, "TCP port 127.0.0.1:80 of this computer is taken. Choose another, or 0 for a free one."),
        (errno.EACCES, "TCP port 127.0.0.1:80 of this computer is for root alone. Choose one from 1024 on, or 0"),
        (errno.EADDRNOTAVAIL, "TCP port 127.0.0.1:80 of this computer cannot be listened on: "),
    ],
)
def test_of_this_computer(number: int, said: str) -> None:
    assert str(not_here(OSError(number, "reason"), ("127.0.0.1", 80), "TCP")).startswith(said)


def test_of_the_board() -> None:
    async def scenario() -> None:
        async with open_board("virtual:?baud_pacing=0&cpu=0") as board:
            for text, kind in (("out of memory", PortBusy), ("address in use", PortBusy)):
                outer = ConnectionLost("it does not listen")
                outer.__cause__ = LuaError(text)
                error = not_on_board(outer, board, ("0.0.0.0", 80), "TCP")
                assert type(error) is kind and error.message == "TCP port 80 of the board is taken"
            error = not_on_board(LuaError("invalid IP address"), board, ("10.0.0.1", 80), "UDP")
            assert error.message == "UDP port 10.0.0.1:80 of the board cannot be listened on: invalid IP address"
            gone = LinkError("gone")
            assert not_on_board(gone, board, ("0.0.0.0", 80), "TCP") is gone
            with pytest.raises(PortError, match="TCP port nobody.invalid:0 of this computer cannot be listened on"):
                async with open_forwards(board, [local("nobody.invalid:0:a:1")]):
                    pass

    asyncio.run(scenario())
