"""`net.udpsocket` (app/modules/net.c)."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, Call, LuaFault, ObjectType, Value
from bridge.virtual.lwip.address import ANY, dotted, parse
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import UdpPcb
from bridge.virtual.modules import net_lookup
from bridge.virtual.modules.net_lookup import NamedSocket
from bridge.virtual.modules.net_object import NOREF, USERDATA_SIZE, Calls, check, check_user_data, set_callback
from bridge.virtual.modules.net_server import read_place
from bridge.virtual.modules.net_tcp import ttl
from bridge.virtual.sdk.kernel import Kernel

EVENTS = ("dns", "receive", "sent")


class UdpSocket(NamedSocket):
    """A UDP port."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        self.pcb: UdpPcb | None = None

    @property
    def has_pcb(self) -> bool:
        return self.pcb is not None

    def bind(self, ip: int, port: int) -> None:
        """Make a pcb and bind it.

        Raises:
            LuaFault: no pcb can be had, or the port is in use.
        """
        pcb = self.stack.udp.new()
        if pcb is None:
            raise LuaFault("cannot allocate PCB")
        pcb.recv, pcb.recv_arg = on_receive, self
        err = self.stack.udp.bind(pcb, ip, port)
        if err is not Err.OK:
            self.stack.udp.remove(pcb)
            check(err)
        self.pcb = pcb
        self.take_ref()

    def close(self) -> None:
        """As `net_close` for a UDP socket."""
        if self.pcb is None:
            raise LuaFault("not connected")
        self.stack.udp.remove(self.pcb)
        self.pcb = None
        if self.wait_dns == 0:
            self.drop_ref()

    def collected(self) -> None:
        if self.pcb is not None:
            self.stack.udp.remove(self.pcb)
            self.pcb = None
        self.callbacks.clear()
        self.drop_ref()


def on_receive(socket: Any, _pcb: UdpPcb, data: bytes, ip: int, port: int) -> None:
    """As `net_udp_recv_cb`."""
    if not isinstance(socket, UdpSocket) or socket.pcb is None or socket.ref is NOREF:
        return
    function = socket.callbacks.get("receive")
    if function is not None:
        socket.call(function, socket.self_value, data, port, dotted(ip).encode())


def _socket(arguments: Args) -> UdpSocket:
    socket: UdpSocket = check_user_data(arguments, UdpSocket)
    return socket


def listen(arguments: Args) -> Any:
    """`socket:listen([port][, ip])`."""
    socket = _socket(arguments)
    if socket.pcb is not None:
        raise LuaFault("already listening")
    port, ip, _ = read_place(arguments)
    socket.bind(ip, port)
    return ()


def on(arguments: Args) -> Any:
    """`socket:on(event, fn | nil)`."""
    set_callback(arguments, _socket(arguments).callbacks, EVENTS)
    return ()


def send(arguments: Args) -> Calls:
    """`socket:send(port, ip, data[, fn])`: the "sent" callback is called before it returns."""
    socket = _socket(arguments)
    port = arguments.check_integer(2) & 0xFFFF
    if port == 0:
        raise LuaFault("need port")
    ip = parse(arguments.check_string(3))
    if ip is None:
        raise LuaFault("invalid IP address")
    data = arguments.check_string(4)
    if not data:
        raise LuaFault("no data to send")
    if arguments.is_function(5):
        socket.callbacks["sent"] = arguments.get(5)
    if socket.pcb is None:
        socket.bind(ANY, 0)
    if socket.pcb is None or socket.ref is NOREF:
        raise LuaFault("not connected")
    err = socket.stack.udp.send(socket.pcb, data, ip, port)
    if err is Err.MEM:
        raise LuaFault("cannot allocate message buffer")
    function = socket.callbacks.get("sent")
    if function is not None:
        yield Call(function, (socket.self_value,))
    check(err)
    return ()


def _dns(arguments: Args) -> Calls:
    return net_lookup.dns(arguments, _socket(arguments))


def _ttl(arguments: Args) -> Value:
    return ttl(arguments, _socket(arguments).pcb)


def methods(common: dict[str, Any]) -> ObjectType:
    """The metatable; `common` are the methods that all objects of `net` share."""
    return ObjectType(
        "net.udpsocket",
        {
            "listen": listen,
            "close": common["close"],
            "on": on,
            "send": send,
            "dns": _dns,
            "ttl": _ttl,
            "getaddr": common["getaddr"],
        },
        USERDATA_SIZE,
    )
