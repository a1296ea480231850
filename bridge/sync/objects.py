"""Objects and names of the board without `await`: each class is the asyncio one of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, cast, overload

from bridge.link import CALL_TIMEOUT
from bridge.mirror import lua as _lua
from bridge.mirror import net as _net
from bridge.mirror import older_forms
from bridge.mirror import tcp as _tcp
from bridge.mirror import udp as _udp
from bridge.mirror.arguments import Data
from bridge.mirror.handle import Handler
from bridge.mirror.ping import PingReceived, PingSent
from bridge.mirror.table import Unread
from bridge.portal import portal
from bridge.sync.face import KINDS, Remote, face, inward, outward, to_handler
from bridge.sync.tls import TLS, Cert, TLSSocket
from bridge.wire.values import Value


class TCPSocket(Remote):
    """`net.socket`; see `bridge.mirror.tcp.TCPSocket`."""

    @property
    def _socket(self) -> _tcp.TCPSocket:
        return cast(_tcp.TCPSocket, self.remote)

    def connect(self, port: int, host: str = "127.0.0.1", callback: Handler | None = None) -> None:
        """Start to connect."""
        portal().call(self._socket.connect(port, host, to_handler(callback)))

    def send(self, data: Data, callback: Handler | None = None) -> None:
        """Send; returns when the board's stack has accepted all of it."""
        portal().call(self._socket.send(data, to_handler(callback)))

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
        portal().call(self._socket.dns(domain, to_handler(callback)))

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
        return cast(_tcp.TCPServer, self.remote)

    def listen(
        self, port: int | str | Handler | None = None, ip: str | Handler | None = None, callback: Handler | None = None
    ) -> None:
        """Accept connections; the callback gets each `TCPSocket`."""
        wrapped = [to_handler(value) if callable(value) else value for value in (port, ip, callback)]
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
        return cast(_udp.UDPSocket, self.remote)

    def listen(self, port: int | str | None = None, ip: str | None = None) -> None:
        """Receive datagrams."""
        portal().call(self._socket.listen(port, ip))

    def send(self, port: int, ip: str, data: Data, callback: Handler | None = None) -> None:
        """Send a datagram."""
        portal().call(self._socket.send(port, ip, data, to_handler(callback)))

    def close(self) -> None:
        """Stop receiving."""
        portal().call(self._socket.close())

    def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event."""
        portal().call(self._socket.dns(domain, to_handler(callback)))

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
        return self._method(name)

    def __getitem__(self, name: str) -> Callable[..., Value]:
        """Lua's method of that name."""
        return self._method(_lua.member("", name))

    def _method(self, name: str) -> Callable[..., Value]:
        def method(*values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
            return _lua.single(self.call(f":{name}", *values, timeout=timeout))

        return method

    def on(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Lua's method `on`."""
        return self._method("on")(*values, timeout=timeout)

    def __setattr__(self, name: str, value: object) -> None:
        if name != "remote":
            raise _lua.no_field(self, name)
        super().__setattr__(name, value)

    def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call it, if it is a function."""
        remote = cast(_lua.LuaObject, self.remote)
        return inward(portal().call(remote(*map(outward, values), timeout=timeout)))


class LuaName(Unread):
    """A global name of the board; see `bridge.mirror.lua.LuaName`."""

    def __init__(self, name: _lua.LuaName) -> None:
        self._name = name

    def __getattr__(self, name: str) -> LuaName:
        return LuaName(getattr(self._name, name))

    def __getitem__(self, name: str) -> LuaName:
        return LuaName(self._name[name])

    def __setattr__(self, name: str, value: object) -> None:
        if name == "_name":
            super().__setattr__(name, value)
        else:
            setattr(self._name, name, value)  # says how it is done

    def __setitem__(self, name: str, value: object) -> None:
        self._name[name] = value

    def __delattr__(self, name: str) -> None:
        delattr(self._name, name)

    def __repr__(self) -> str:
        return repr(self._name)

    def __call__(self, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """Call the function of this name on the board."""
        return inward(portal().call(self._name(*map(outward, values), timeout=timeout)))

    def get(self) -> Value:
        """The value of this name."""
        return inward(portal().call(self._name.get()))


class DNS:
    """`net.dns`; see `bridge.mirror.net.DNS`."""

    def __init__(self, dns: _net.DNS) -> None:
        self._dns = dns

    def resolve(self, host: str, callback: Handler | None = None) -> str | None:
        """Resolve a name by the board."""
        return portal().call(self._dns.resolve(host, to_handler(callback)))

    def getdnsserver(self, index: int = 0) -> str | None:
        """Address of a DNS server."""
        return portal().call(self._dns.getdnsserver(index))

    def setdnsserver(self, ip: str, index: int = 0) -> None:
        """Set a DNS server."""
        portal().call(self._dns.setdnsserver(ip, index))


class Net:
    """`net`; see `bridge.mirror.net.Net`."""

    TCP: Final = 1
    UDP: Final = 2

    def __init__(self, net: _net.Net, tls: TLS) -> None:
        self._net = net
        self._tls = tls
        self.dns = DNS(net.dns)

    @property
    def cert(self) -> Cert:
        """`tls.cert`, where firmware 2.x had it; warns that it has moved."""
        older_forms.warn_of_cert(stacklevel=3)
        return self._tls.cert

    @overload
    def createConnection(self, type: Literal[1] = ..., secure: Literal[0, False] = ...) -> TCPSocket: ...
    @overload
    def createConnection(self, type: Literal[1], secure: Literal[1, True]) -> TLSSocket: ...
    @overload
    def createConnection(self, type: Literal[2], secure: Literal[0, False] = ...) -> UDPSocket: ...
    @overload
    def createConnection(self, type: int = ..., secure: int = ...) -> TCPSocket | TLSSocket | UDPSocket: ...
    def createConnection(self, type: int = TCP, secure: int = 0) -> TCPSocket | TLSSocket | UDPSocket:
        """Make a TCP client; the older forms give what the document says, and warn."""
        made: Any = self._make(older_forms.connection_kind(type, secure, stacklevel=3), 0)
        return made  # type: ignore[no-any-return]

    @overload
    def createServer(self, type: Literal[1] | None = ..., timeout: int | None = ...) -> TCPServer: ...
    @overload
    def createServer(  # type: ignore[overload-overlap]  # 2 is a type and no timeout
        self, type: Literal[2], timeout: int | None = ...
    ) -> UDPSocket: ...
    @overload
    def createServer(self, type: int | None, timeout: int | None = ...) -> TCPServer: ...
    def createServer(self, type: int | None = None, timeout: int | None = None) -> TCPServer | UDPSocket:
        """Make a TCP server: `createServer(timeout)`; the older forms give what the document says, and warn."""
        made: Any = self._make(*older_forms.server_kind(type, timeout, stacklevel=3))
        return made  # type: ignore[no-any-return]

    def _make(self, kind: older_forms.Kind, seconds: int) -> Remote:
        return face(portal().call(self._net.make(kind, seconds)), Remote)

    def createUDPSocket(self) -> UDPSocket:
        """Make a UDP socket."""
        return face(portal().call(self._net.createUDPSocket()), UDPSocket)

    def multicastJoin(self, if_ip: str, multicast_ip: str) -> None:
        """Join a multicast group."""
        portal().call(self._net.multicastJoin(if_ip, multicast_ip))

    def multicastLeave(self, if_ip: str, multicast_ip: str) -> None:
        """Leave a multicast group."""
        portal().call(self._net.multicastLeave(if_ip, multicast_ip))

    def ifinfo(self, index: int = 0) -> dict[str, Any] | None:
        """What an interface has."""
        return portal().call(self._net.ifinfo(index))

    def ping(
        self,
        host: str,
        count: int | PingReceived | None = None,
        received: PingReceived | PingSent | None = None,
        sent: PingSent | None = None,
    ) -> None:
        """Ask a host whether it is there."""
        values: Any = [to_handler(value) if callable(value) else value for value in (count, received, sent)]
        portal().call(self._net.ping(host, *values))


KINDS.update(
    {
        _tcp.TCPSocket: TCPSocket,
        _tcp.TCPServer: TCPServer,
        _udp.UDPSocket: UDPSocket,
        _lua.LuaObject: LuaObject,
    }
)
