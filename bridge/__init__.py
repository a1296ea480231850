"""Drive the real network stack of a NodeMCU (ESP8266) board from Python, over its serial port.

    async with bridge.open_board("/dev/ttyUSB0") as board:      # or "virtual:", a board without hardware
        socket = await board.net.createConnection()
        socket.on("receive", lambda socket, data: print(data))
        await socket.connect(80, "example.com")

The rooms, from the line up: `ports` (bytes), `wire` (frames and messages, pure), `link` (the two together), `repl` and
`agent` (the board's prompt, and our program on it), `mirror` (board objects as Python objects), `files` (whole files),
`board` (all of it), `opening` (from a port to a board), `sync` (the same without `await`), `trace` (what went over the
line), `cli` (the command). `virtual` is a faithful board that shares none of this code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge import sync
    from bridge.board import Board
    from bridge.errors import BoardReset, BridgeError, LuaError, NetError, PortError
    from bridge.opening import open_board
    from bridge.wire.numbers import float32

__all__ = ["Board", "BoardReset", "BridgeError", "LuaError", "NetError", "PortError", "float32", "open_board", "sync"]


#: Where each name is from.
_HOMES = {
    **dict.fromkeys(("BoardReset", "BridgeError", "LuaError", "NetError", "PortError"), "bridge.errors"),
    "Board": "bridge.board",
    "float32": "bridge.wire.numbers",
    "open_board": "bridge.opening",
}


def __getattr__(name: str) -> object:
    # Imported when asked for: the command's help, the virtual board and a run of pytest without boards need none of it.
    from importlib import import_module

    if name == "sync":
        return import_module("bridge.sync")
    if name not in _HOMES:
        raise AttributeError(f"module 'bridge' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
