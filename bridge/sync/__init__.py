"""The same board without `await`, for scripts: `with bridge.sync.open_board(url) as board`.

Every class and method here is the asyncio one of the same name without `await`; see there for what it does. All of
it runs on one background loop. Your handlers and callbacks run on one thread of their own, one at a time, and may
call the board; one that does not return holds the others up. Where a handler calls Lua that asks one of your functions,
that function runs within the handler's call.
"""

from bridge.sync.board import Board, open_board
from bridge.sync.face import Remote
from bridge.sync.file import FileObject
from bridge.sync.objects import DNS, LuaName, LuaObject, Net, TCPServer, TCPSocket, UDPSocket
from bridge.sync.streams import Server, Stream
from bridge.sync.tls import TLS, Cert, TLSSocket
from bridge.sync.tmr import Timer

__all__ = [
    "DNS",
    "TLS",
    "Board",
    "FileObject",
    "Cert",
    "LuaName",
    "LuaObject",
    "Net",
    "Remote",
    "Server",
    "Stream",
    "TCPServer",
    "TCPSocket",
    "Timer",
    "TLSSocket",
    "UDPSocket",
    "open_board",
]
