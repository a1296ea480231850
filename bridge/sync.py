"""The same board without `await`, for scripts: `with bridge.sync.open_board(url) as board`.

Every class and method here is the asyncio one of the same name without `await`; see there for what it does. All of
it runs on one background loop. Your handlers and callbacks run on one thread of their own, one at a time, and may
call the board; one that does not return holds the others up.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from bridge import board as _board
from bridge.errors import BridgeError
from bridge.lifecycle import State
from bridge.link import CALL_TIMEOUT, AgentFacts
from bridge.mirror import lua as _lua
from bridge.mirror import net as _net
from bridge.mirror import tcp as _tcp
from bridge.mirror import udp as _udp
from bridge.mirror.handle import Handler
from bridge.mirror.handle import Remote as _Remote
from bridge.mirror.handle import State as HandleState
from bridge.mirror.tcp import Data
from bridge.portal import portal
from bridge.ports.base import CONSOLE_BAUD
from bridge.wire.values import Value

F = TypeVar("F", bound="Remote")

_faces: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()


class Remote:
    """An object on the board; see `bridge.mirror.handle.Remote`."""

    def __init__(self, remote: _Remote) -> None:
        self._remote = remote

    def __repr__(self) -> str:
        return f"<sync {repr(self._remote)[1:]}"

    @property
    def number(self) -> int:
        """The number of the board object in its boot."""
        return self._remote.number

    @property
    def state(self) -> HandleState:
        """Open, closing or closed."""
        return self._remote.state

    def on(self, event: str, handler: Handler | None) -> None:
        """Set who is called when something happens, on the callback thread."""

        async def run() -> None:
            self._remote.on(event, _handler(handler))

        portal().call(run())

    def release(self) -> None:
        """Let the board object go."""
        portal().call(self._remote.release())

    def when_gone(self, callback: Callable[[BridgeError | None], None]) -> None:
        """Ask to be told, once, on the callback thread, when the handle ends."""

        def gone(reason: BridgeError | None) -> None:
            portal().post(callback, reason)

        async def run() -> None:
            self._remote.when_gone(gone)

        portal().call(run())

    def check(self) -> None:
        """Raise if the handle cannot be used any more."""
        self._remote.check()

    def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """Call a function of the board with this object as its first argument."""
        results = portal().call(self._remote.call(target, *map(_outward, values), timeout=timeout))
        return tuple(map(_inward, results))


class TCPSocket(Remote):
    """`net.socket`; see `bridge.mirror.tcp.TCPSocket`."""

    @property
    def _socket(self) -> _tcp.TCPSocket:
        return cast(_tcp.TCPSocket, self._remote)

    def connect(self, port: int, host: str = "127.0.0.1", callback: Handler | None = None) -> None:
        """Start to connect."""
        portal().call(self._socket.connect(port, host, _handler(callback)))

    def send(self, data: Data, callback: Handler | None = None) -> None:
        """Send; returns when the board's stack has accepted all of it."""
        portal().call(self._socket.send(data, _handler(callback)))

    def close(self) -> None:
        """Close; what was accepted by `send` leaves first."""
        portal().call(self._socket.close())

    def hold(self) -> None:
        """Stop receiving."""
        portal().call(self._socket.hold())

    def unhold(self) -> None:
        """Go on receiving."""
        portal().call(self._socket.unhold())

    def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event."""
        portal().call(self._socket.dns(domain, _handler(callback)))

    def getpeer(self) -> tuple[int | None, str | None]:
        """(port, ip) of the peer."""
        return portal().call(self._socket.getpeer())

    def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) of this end."""
        return portal().call(self._socket.getaddr())

    def ttl(self, ttl: int | None = None) -> int:
        """Set or read the time to live."""
        return portal().call(self._socket.ttl(ttl))


class TCPServer(Remote):
    """`net.server`; see `bridge.mirror.tcp.TCPServer`."""

    @property
    def _server(self) -> _tcp.TCPServer:
        return cast(_tcp.TCPServer, self._remote)

    def listen(
        self, port: int | Handler | None = None, ip: str | Handler | None = None, callback: Handler | None = None
    ) -> None:
        """Accept connections; the callback gets each `TCPSocket`."""
        wrapped = [_handler(value) if callable(value) else value for value in (port, ip, callback)]
        portal().call(self._server.listen(*wrapped))  # type: ignore[arg-type]

    def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) it listens on."""
        return portal().call(self._server.getaddr())

    def close(self) -> None:
        """Stop listening."""
        portal().call(self._server.close())


class UDPSocket(Remote):
    """`net.udpsocket`; see `bridge.mirror.udp.UDPSocket`."""

    @property
    def _socket(self) -> _udp.UDPSocket:
        return cast(_udp.UDPSocket, self._remote)

    def listen(self, port: int | None = None, ip: str | None = None) -> None:
        """Receive datagrams."""
        portal().call(self._socket.listen(port, ip))

    def send(self, port: int, ip: str, data: Data, callback: Handler | None = None) -> None:
        """Send a datagram."""
        portal().call(self._socket.send(port, ip, data, _handler(callback)))

    def close(self) -> None:
        """Stop receiving."""
        portal().call(self._socket.close())

    def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event."""
        portal().call(self._socket.dns(domain, _handler(callback)))

    def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) of this end."""
        return portal().call(self._socket.getaddr())

    def ttl(self, ttl: int | None = None) -> int:
        """Set or read the time to live."""
        return portal().call(self._socket.ttl(ttl))


class LuaObject(Remote):
    """An object of the board of no particular kind; see `bridge.mirror.lua.LuaObject`."""

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name.startswith("_"):
            raise AttributeError(name)

        def method(*values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
            return _lua.single(self.call(f":{name}", *values, timeout=timeout))

        return method

    def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call it, if it is a function."""
        remote = cast(_lua.LuaObject, self._remote)
        return _inward(portal().call(remote(*map(_outward, values), timeout=timeout)))


class LuaName:
    """A global name of the board; see `bridge.mirror.lua.LuaName`."""

    def __init__(self, name: _lua.LuaName) -> None:
        self._name = name

    def __getattr__(self, name: str) -> LuaName:
        return LuaName(getattr(self._name, name))

    def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call the function of this name on the board."""
        return _inward(portal().call(self._name(*map(_outward, values), timeout=timeout)))

    def get(self) -> Value:
        """The value of this name."""
        return _inward(portal().call(self._name.get()))


class DNS:
    """`net.dns`; see `bridge.mirror.net.DNS`."""

    def __init__(self, dns: _net.DNS) -> None:
        self._dns = dns

    def resolve(self, host: str, callback: Handler | None = None) -> str | None:
        """Resolve a name by the board."""
        return portal().call(self._dns.resolve(host, _handler(callback)))

    def getdnsserver(self, index: int = 0) -> str | None:
        """Address of a DNS server."""
        return portal().call(self._dns.getdnsserver(index))

    def setdnsserver(self, ip: str, index: int = 0) -> None:
        """Set a DNS server."""
        portal().call(self._dns.setdnsserver(ip, index))


class Net:
    """`net`; see `bridge.mirror.net.Net`."""

    TCP = _net.Net.TCP
    UDP = _net.Net.UDP

    def __init__(self, net: _net.Net) -> None:
        self._net = net
        self.dns = DNS(net.dns)

    def createConnection(self, type: int = TCP, secure: int | bool = 0) -> TCPSocket:
        """Make a TCP client."""
        return _face(portal().call(self._net.createConnection(type, secure)), TCPSocket)

    def createServer(self, type: int | None = None, timeout: int | None = None) -> TCPServer:
        """Make a TCP server; the first argument is the timeout, as in the stock module."""
        return _face(portal().call(self._net.createServer(type, timeout)), TCPServer)

    def createUDPSocket(self) -> UDPSocket:
        """Make a UDP socket."""
        return _face(portal().call(self._net.createUDPSocket()), UDPSocket)

    def multicastJoin(self, if_ip: str, multicast_ip: str) -> None:
        """Join a multicast group."""
        portal().call(self._net.multicastJoin(if_ip, multicast_ip))

    def multicastLeave(self, if_ip: str, multicast_ip: str) -> None:
        """Leave a multicast group."""
        portal().call(self._net.multicastLeave(if_ip, multicast_ip))

    def ifinfo(self, index: int = 0) -> dict[str, Any] | None:
        """What an interface has."""
        return portal().call(self._net.ifinfo(index))


class Board:
    """A board with the agent on it; see `bridge.board.Board`. Made by `open_board`."""

    def __init__(self, board: _board.Board) -> None:
        self._board = board
        self.net = Net(board.net)
        self.lua = LuaName(board.lua)
        portal().at_exit(board.close)

    def __repr__(self) -> str:
        return f"<sync {repr(self._board)[1:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL or path of its port."""
        return self._board.url

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._board.state

    @property
    def facts(self) -> AgentFacts:
        """What is known of the firmware of the present boot."""
        return self._board.facts

    def on(self, event: str, handler: Callable[..., Any] | None) -> None:
        """Set who is told of something, on the callback thread."""

        async def run() -> None:
            self._board.on(event, _handler(handler))

        portal().call(run())

    def eval(self, expression: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """The value of a Lua expression."""
        return _inward(portal().call(self._board.eval(expression, *map(_outward, values), timeout=timeout)))

    def exec(self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Run a Lua chunk on the board."""
        return _inward(portal().call(self._board.exec(source, *map(_outward, values), timeout=timeout)))

    def reset(self) -> None:
        """Restart the board and put the agent on it again."""
        portal().call(self._board.reset())

    def close(self) -> None:
        """Give the prompt and the port back."""
        portal().call(self._board.close())
        portal().forget(self._board.close)


def open_board(port: str, *, baud: int = CONSOLE_BAUD) -> Board:
    """Open a board and return it; closes as a context manager, by `close`, or when the program ends.

    Args:
        port: a port's URL (see `bridge.ports.open`); not `virtual:?clock=virtual`, whose time stands still while
            nothing on its own loop waits.
        baud: speed of the board's console, in baud.

    Raises:
        As `bridge.open_board`.
    """

    async def run() -> _board.Board:
        return await _board.open_board(port, baud=baud)

    return Board(portal().call(run()))


def _handler(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A handler for the loop that runs this one on the callback thread."""
    if not callable(function):
        return function
    wanted = function

    async def handler(*values: Value) -> None:
        await portal().callback(wanted, *map(_inward, values))

    handler.__qualname__ = getattr(wanted, "__qualname__", repr(wanted))
    return handler


def _outward(value: Value) -> Value:
    """A value as the asyncio classes take it."""
    if isinstance(value, Remote):
        return value._remote
    if isinstance(value, dict):
        return {_outward(key): _outward(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_outward(item) for item in value]
    return _handler(value) if callable(value) else value


def _inward(value: Value) -> Value:
    """A value of the asyncio classes as users of this module see it."""
    if isinstance(value, _Remote):
        return _face(value, Remote)
    if isinstance(value, dict):
        return {_inward(key): _inward(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_inward(item) for item in value]
    return tuple(map(_inward, value)) if isinstance(value, tuple) else value


_KINDS: dict[type[_Remote], type[Remote]] = {
    _tcp.TCPSocket: TCPSocket,
    _tcp.TCPServer: TCPServer,
    _udp.UDPSocket: UDPSocket,
    _lua.LuaObject: LuaObject,
}


def _face(remote: _Remote, kind: type[F]) -> F:
    """The one object of this module for a handle."""
    found = _faces.get(id(remote))
    if found is None or found._remote is not remote:
        found = _faces[id(remote)] = _KINDS[type(remote)](remote)
    assert isinstance(found, kind)
    return found
