"""`tls.socket` (app/modules/tls.c): a secure connection as Lua sees it."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, Call, LuaFault, ObjectType, Value
from bridge.virtual.lwip.address import NONE, dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.mbedtls.footprint import ESP_TCP
from bridge.virtual.modules.net_object import NOREF, Calls, NetObject, set_callback
from bridge.virtual.modules.tls_connection import Connection, connect, find
from bridge.virtual.modules.tls_secure import EspState, Secure
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap

#: sizeof(tls_socket_ud) on the chip: an espconn and seven registry references.
USERDATA_SIZE = 56
EVENTS = ("connection", "disconnection", "reconnection", "receive", "sent", "dns")
#: What the reconnect callback says for an error of espconn; nil for all others.
REASONS = {
    -1: b"Out of memory",
    -3: b"Timeout",
    -4: b"Routing problem",
    -8: b"Connection aborted",
    -9: b"Connection reset",
    -10: b"Connection closed",
    -28: b"SSL handshake failed",
    -61: b"SSL application invalid",
}


class TlsSocket(NetObject):
    """A userdata of `tls`: an `espconn`, and the program's callbacks."""

    def __init__(self, kernel: Kernel, secure: Secure) -> None:
        super().__init__(kernel)
        self._secure = secure
        self.state = EspState.NONE
        #: What `proto.tcp` has taken of the heap; 0 while there is none.
        self._tcp = 0
        self.remote_ip = 0
        self.remote_port = 0
        self.callbacks: dict[str, Value] = {}

    @property
    def open(self) -> bool:
        """True from `connect` to the end of the connection: `proto.tcp` is there."""
        return self._tcp != 0

    # --- for Lua ---

    def connect(self, port: int, host: bytes) -> Calls:
        """As `tls_socket_connect`, arguments checked."""
        try:
            self._tcp = self.kernel.heap.claim(ESP_TCP)
        except OutOfHeap:
            raise LuaFault("not enough memory") from None
        self.state = EspState.NONE
        self.remote_ip, self.remote_port = 0, port
        self.take_ref()
        result = self.stack.dns.resolve(host, _found, self)
        if not isinstance(result, Err):
            yield from self._resolved(result)
        elif result is not Err.INPROGRESS:
            yield from self._resolved(NONE)

    @property
    def connection(self) -> Connection | None:
        """The connection, while there is one."""
        return find(self._secure, self) if self.open else None

    def send(self, data: bytes) -> None:
        """As `tls_socket_send`: whether anything is sent nobody says."""
        if self.open:
            self.state = EspState.WRITE
        if self.connection is not None:
            self.connection.send(data)

    def close(self) -> None:
        """As `tls_socket_close`."""
        if self.connection is not None:
            self.connection.close()

    def collected(self) -> None:
        self._drop_connection()
        self.callbacks.clear()
        self.drop_ref()

    # --- from the resolver ---

    def _resolved(self, ip: int) -> Calls:
        """As `tls_socket_dns_cb`."""
        if self.ref is NOREF:
            return
        function = self.callbacks.get("dns")
        if function is not None:
            yield Call(function, (self.self_value, None if ip == NONE else dotted(ip).encode()))
        if ip == NONE:
            # `proto.tcp` stays: this object never connects again.
            self.drop_ref()
        else:
            self.remote_ip = ip
            connect(self._secure, self, ip, self.remote_port)

    # --- from the connection ---

    def on_connect(self) -> None:
        """The handshake is through."""
        self._event("connection")

    def on_receive(self, data: bytes) -> None:
        """Plaintext, 1460 bytes at most."""
        self._event("receive", data)

    def on_sent(self) -> None:
        """All of a send is acknowledged."""
        self._event("sent")

    def on_disconnect(self) -> None:
        """As `tls_socket_ondisconnect`."""
        if self.ref is NOREF:
            return
        # The reference is gone before it is looked at: the callback gets nil.
        self._cleanup()
        function = self.callbacks.get("disconnection")
        if function is not None:
            self.call(function, self.self_value)

    def on_reconnect(self, err: int) -> None:
        """As `tls_socket_onreconnect`."""
        if self.ref is NOREF:
            return
        itself = self.self_value
        self._cleanup()
        function = self.callbacks.get("reconnection")
        if function is not None:
            self.call(function, itself, REASONS.get(err))

    def _event(self, name: str, *arguments: Value) -> None:
        function = self.callbacks.get(name)
        if self.ref is not NOREF and function is not None:
            self.call(function, self.self_value, *arguments)

    def _cleanup(self) -> None:
        self._drop_connection()
        self.drop_ref()

    def _drop_connection(self) -> None:
        if self.open:
            self.close()
            self.kernel.heap.release(self._tcp)
            self._tcp = 0


def _found(_name: bytes, ip: int | None, socket: TlsSocket) -> None:
    socket.finish(socket._resolved(NONE if ip is None else ip))


def _socket(arguments: Args) -> TlsSocket:
    socket: TlsSocket = arguments.check_object(1, TlsSocket)
    return socket


def _connect(arguments: Args) -> Calls:
    socket = _socket(arguments)
    if socket.open:
        raise LuaFault("already connected")
    port = arguments.check_integer(2) & 0xFFFF
    host = arguments.check_string(3) if arguments.is_string(3) else b"127.0.0.1"
    if port == 0:
        raise LuaFault("invalid port")
    yield from socket.connect(port, host)
    return ()


def _on(arguments: Args) -> Any:
    set_callback(arguments, _socket(arguments).callbacks, EVENTS, "invalid method")
    return ()


def _send(arguments: Args) -> Any:
    socket = _socket(arguments)
    socket.send(arguments.check_string(2))
    return ()


def _close(arguments: Args) -> Any:
    _socket(arguments).close()
    return ()


def _hold(arguments: Args) -> Any:
    connection = _socket(arguments).connection
    if connection is not None:
        connection.hold()
    return ()


def _unhold(arguments: Args) -> Any:
    connection = _socket(arguments).connection
    if connection is not None:
        connection.unhold()
    return ()


def _getpeer(arguments: Args) -> Any:
    socket = _socket(arguments)
    if not socket.open or socket.remote_port == 0:
        return (None, None)
    return dotted(socket.remote_ip).encode(), socket.remote_port


TlsSocket.TYPE = ObjectType(
    "tls.socket",
    {
        "connect": _connect,
        "close": _close,
        "on": _on,
        "send": _send,
        "hold": _hold,
        "unhold": _unhold,
        "getpeer": _getpeer,
    },
    USERDATA_SIZE,
)
