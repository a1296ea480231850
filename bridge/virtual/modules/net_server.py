"""`net.tcpserver` (app/modules/net.c)."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, LuaFault, ObjectType, Value
from bridge.virtual.lwip.address import ANY, parse
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import ListenPcb, TcpPcb
from bridge.virtual.modules.net_object import NOREF, USERDATA_SIZE, NetObject, check, check_user_data
from bridge.virtual.modules.net_tcp import TcpSocket, on_connected
from bridge.virtual.sdk.kernel import Kernel


class TcpServer(NetObject):
    """A listener.

    Args:
        timeout: seconds of silence after which a client is probed; one that does not answer is dropped 10 s later.
    """

    def __init__(self, kernel: Kernel, timeout: int) -> None:
        super().__init__(kernel)
        self.timeout = timeout
        self.pcb: ListenPcb | None = None
        self.accept: Value = None

    def close(self) -> None:
        """As `net_close` for a server: connections that came through it live on."""
        if self.pcb is None:
            raise LuaFault("not connected")
        self.stack.tcp.close_listener(self.pcb)
        self.pcb = None
        self.drop_ref()

    def collected(self) -> None:
        if self.pcb is not None:
            self.stack.tcp.close_listener(self.pcb)
            self.pcb = None
        self.accept = None
        self.drop_ref()


def accepted(server: Any, pcb: TcpPcb, _err: Err) -> Err:
    """As `net_accept_cb`.

    C takes the new socket for the second value on the Lua stack. Values that errors under a custom onerror left
    there shift it: the socket then refers to something else as itself, and its callbacks get that.
    """
    if not isinstance(server, TcpServer) or server.pcb is None:
        return Err.ABRT
    if server.ref is NOREF or server.accept is None:
        return Err.ABRT
    socket = TcpSocket(server.kernel)
    lua_stack = [*server.kernel.lua.leaked, server.accept, socket]
    second = lua_stack[1]
    if second is socket:
        socket.take_ref()
    else:
        socket.ref = second
    socket.attach(pcb)
    pcb.keepalive = True
    pcb.keep_idle = server.timeout * 1000 & 0xFFFFFFFF
    pcb.keep_cnt = 1
    server.call(server.accept, socket)
    return on_connected(socket, pcb, Err.OK)


def read_place(arguments: Args) -> tuple[int, int, int]:
    """Port, address and the position after them, of `listen([port][, ip]…)`."""
    at, port, ip = 2, 0, ANY
    if arguments.is_number(at):
        port = arguments.to_integer(at) & 0xFFFF
        at += 1
    if arguments.is_string(at):
        parsed = parse(arguments.check_string(at))
        if parsed is None:
            raise LuaFault("invalid IP address")
        ip = parsed
        at += 1
    return port, ip, at


def listen(arguments: Args) -> Any:
    """`server:listen([port][, ip], fn)`."""
    server: TcpServer = check_user_data(arguments, TcpServer)
    if server.pcb is not None:
        raise LuaFault("already listening")
    port, ip, at = read_place(arguments)
    if not arguments.is_function(at):
        raise LuaFault("need callback")
    server.accept = arguments.get(at)
    tcp = server.stack.tcp
    pcb = tcp.allocate()
    if pcb is None:
        raise LuaFault("cannot allocate PCB")
    pcb.reuse_address = True
    err = tcp.bind(pcb, ip, port)
    if err is Err.OK:
        pcb.callback_arg = server
        server.pcb = tcp.listen(pcb)
        err = Err.OK if server.pcb is not None else Err.MEM
    if server.pcb is None:
        tcp.close(pcb)
        check(err)
    else:
        server.pcb.accept = accepted
    server.take_ref()
    return ()


def methods(common: dict[str, Any]) -> ObjectType:
    """The metatable; `common` are the methods that all objects of `net` share."""
    return ObjectType(
        "net.tcpserver",
        {"listen": listen, "getaddr": common["getaddr"], "close": common["close"]},
        USERDATA_SIZE,
    )
