"""`net.tcpsocket` (app/modules/net.c): a TCP connection as Lua sees it."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, ArgumentFault, LuaFault, ObjectType, Value
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_WND, State, TcpPcb
from bridge.virtual.modules import net_lookup
from bridge.virtual.modules.net_lookup import NamedSocket
from bridge.virtual.modules.net_object import NOREF, USERDATA_SIZE, Calls, check, check_user_data, place, set_callback
from bridge.virtual.sdk.kernel import Kernel

EVENTS = ("connection", "disconnection", "reconnection", "dns", "receive", "sent")


class TcpSocket(NamedSocket):
    """A TCP connection, made by the program or accepted."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.pcb: TcpPcb | None = None
        self.hold = False

    @property
    def has_pcb(self) -> bool:
        return self.pcb is not None

    def attach(self, pcb: TcpPcb) -> None:
        """Take over a pcb: its events come here."""
        self.pcb = pcb
        pcb.callback_arg = self
        pcb.errf, pcb.recv, pcb.sent = on_error, on_receive, on_sent

    def resolved(self, ip: int) -> None:
        if self.pcb is not None and self.pcb.state is State.CLOSED:
            # Also after a failed lookup, with 255.255.255.255; what it returns nobody looks at.
            self.stack.tcp.connect(self.pcb, ip, self.pcb.remote_port, on_connected)
        elif self.pcb is None and self.wait_dns == 0:
            self.drop_ref()

    def collected(self) -> None:
        pcb, self.pcb = self.pcb, None
        if pcb is not None:
            pcb.callback_arg = None
            self.stack.tcp.abort(pcb)
        self.callbacks.clear()
        self.drop_ref()


def on_error(socket: Any, err: Err) -> None:
    """As `net_err_cb`: the connection is over."""
    if not isinstance(socket, TcpSocket) or socket.ref is NOREF:
        return
    socket.pcb = None
    function = socket.callbacks.get("reconnection") if err is not Err.OK else None
    if function is None:
        function = socket.callbacks.get("disconnection")
    if function is not None:
        socket.call(function, socket.self_value, int(err))
    if socket.wait_dns == 0:
        socket.drop_ref()


def on_connected(socket: Any, pcb: TcpPcb, err: Err) -> Err:
    """As `net_connected_cb`."""
    if not isinstance(socket, TcpSocket) or socket.pcb is not pcb:
        return Err.ABRT
    if err is not Err.OK:
        on_error(socket, err)
        return Err.ABRT
    function = socket.callbacks.get("connection")
    if socket.ref is not NOREF and function is not None:
        socket.call(function, socket.self_value)
    return Err.OK


def on_receive(socket: Any, pcb: TcpPcb, data: list[bytes] | None, err: Err) -> Err:
    """As `net_tcp_recv_cb`: one call for each pbuf, or the end of the connection for the peer's FIN."""
    if not isinstance(socket, TcpSocket) or socket.pcb is None or socket.ref is NOREF:
        return Err.ABRT
    tcp = socket.stack.tcp
    if data is None:
        on_error(socket, err)
        return tcp.close(pcb)
    if socket.callbacks.get("receive") is not None:
        for piece in data:
            socket.call(socket.callbacks.get("receive"), socket.self_value, piece)
    tcp.recved(pcb, 0 if socket.hold else TCP_WND)
    return Err.OK


def on_sent(socket: Any, _pcb: TcpPcb, _length: int) -> Err:
    """As `net_sent_cb`."""
    if not isinstance(socket, TcpSocket) or socket.pcb is None or socket.ref is NOREF:
        return Err.ABRT
    function = socket.callbacks.get("sent")
    if function is not None:
        socket.call(function, socket.self_value)
    return Err.OK


def _socket(arguments: Args) -> TcpSocket:
    socket: TcpSocket = check_user_data(arguments, TcpSocket)
    return socket


def connect(arguments: Args) -> Calls:
    """`socket:connect(port[, host[, fn]])`."""
    socket = _socket(arguments)
    if socket.pcb is not None:
        raise LuaFault("already connected")
    port = arguments.check_integer(2) & 0xFFFF
    if port == 0:
        raise LuaFault("specify port")
    host = arguments.check_string(3) if arguments.is_string(3) else b"127.0.0.1"
    if len(arguments) > 3:
        if not arguments.is_function(4):
            raise ArgumentFault(4, "not a function")
        socket.callbacks["connection"] = arguments.get(4)
    pcb = socket.stack.tcp.allocate()
    if pcb is None:
        raise LuaFault("cannot allocate PCB")
    socket.attach(pcb)
    pcb.remote_port = port
    try:
        yield from socket.look_up(host)
    except LuaFault:
        if socket.pcb is pcb:
            socket.stack.tcp.abort(pcb)
            socket.pcb = None
        raise
    return ()


def on(arguments: Args) -> Any:
    """`socket:on(event, fn | nil)`."""
    socket = _socket(arguments)
    set_callback(arguments, socket.callbacks, EVENTS)
    return ()


def send(arguments: Args) -> Any:
    """`socket:send(data[, fn])`."""
    socket = _socket(arguments)
    data = arguments.check_string(2)
    if not data:
        raise LuaFault("no data to send")
    if arguments.is_function(3):
        socket.callbacks["sent"] = arguments.get(3)
    if socket.pcb is None or socket.ref is NOREF:
        raise LuaFault("not connected")
    check(socket.stack.tcp.write(socket.pcb, data))
    return ()


def hold(arguments: Args) -> Any:
    """`socket:hold()`."""
    socket = _socket(arguments)
    if socket.pcb is not None:
        socket.hold = True
    return ()


def unhold(arguments: Args) -> Any:
    """`socket:unhold()`."""
    socket = _socket(arguments)
    if socket.hold and socket.pcb is not None:
        socket.hold = False
        socket.pcb.ack_now = True
        socket.stack.tcp.recved(socket.pcb, TCP_WND)
    return ()


def _dns(arguments: Args) -> Calls:
    return net_lookup.dns(arguments, _socket(arguments))


def _ttl(arguments: Args) -> Value:
    return ttl(arguments, _socket(arguments).pcb)


def ttl(arguments: Args, pcb: Any) -> Value:
    """As `net_ttl`."""
    if pcb is None:
        raise LuaFault("socket is not open/bound yet")
    value = arguments.opt_integer(2, -1)
    if value == -1:
        return pcb.ttl
    pcb.ttl = value & 0xFF
    return value


def getpeer(arguments: Args) -> Any:
    """`socket:getpeer()`."""
    pcb = _socket(arguments).pcb
    return place(pcb.remote_ip, pcb.remote_port) if pcb is not None else (None, None)


def close_socket(socket: TcpSocket) -> None:
    """As `net_close` for a TCP socket; what cannot be closed cleanly is aborted."""
    pcb = socket.pcb
    if pcb is None:
        raise LuaFault("not connected")
    if socket.stack.tcp.close(pcb) is not Err.OK:
        pcb.callback_arg = None
        socket.stack.tcp.abort(pcb)
    socket.pcb = None
    if socket.wait_dns == 0:
        socket.drop_ref()


def methods(common: dict[str, Any]) -> ObjectType:
    """The metatable; `common` are the methods that all objects of `net` share."""
    return ObjectType(
        "net.tcpsocket",
        {
            "connect": connect,
            "close": common["close"],
            "on": on,
            "send": send,
            "hold": hold,
            "unhold": unhold,
            "dns": _dns,
            "ttl": _ttl,
            "getpeer": getpeer,
            "getaddr": common["getaddr"],
        },
        USERDATA_SIZE,
    )
