"""The `net` module (app/modules/net.c of release 3.0.0, with the argument forms of 2.2.1 where those differ)."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, LuaFault, Module, Value
from bridge.virtual.lwip.address import ANY, dotted, parse_or_none
from bridge.virtual.modules import net_server, net_tcp, net_udp
from bridge.virtual.modules.net_lookup import build_dns
from bridge.virtual.modules.net_object import check_user_data, place
from bridge.virtual.modules.net_ping import build_ping
from bridge.virtual.modules.net_server import TcpServer
from bridge.virtual.modules.net_tcp import TcpSocket, close_socket
from bridge.virtual.modules.net_udp import UdpSocket
from bridge.virtual.sdk.kernel import Kernel

_TCP, _UDP = 1, 2


def _close(arguments: Args) -> Any:
    thing = check_user_data(arguments, TcpSocket, TcpServer, UdpSocket)
    if isinstance(thing, TcpSocket):
        close_socket(thing)
    else:
        thing.close()
    return ()


def _getaddr(arguments: Args) -> Any:
    pcb = check_user_data(arguments, TcpSocket, TcpServer, UdpSocket).pcb
    return place(pcb.local_ip, pcb.local_port) if pcb is not None else (None, None)


_COMMON = {"close": _close, "getaddr": _getaddr}
TcpServer.TYPE = net_server.methods(_COMMON)
TcpSocket.TYPE = net_tcp.methods(_COMMON)
UdpSocket.TYPE = net_udp.methods(_COMMON)


def _multicast(arguments: Args) -> tuple[int, int]:
    """The arguments of join and leave: interface and group, as far as C checks them."""
    if not arguments.is_string(1):
        raise LuaFault("wrong arg type")
    interface = arguments.check_string(1)
    if not interface or interface.lower() == b"any":
        interface = b"0.0.0.0"
    if not 7 <= len(interface) <= 15:
        raise LuaFault("invalid if ip")
    if not arguments.is_string(2):
        raise LuaFault("wrong arg type")
    group = arguments.check_string(2)
    if not 7 <= len(group) <= 15:
        raise LuaFault("invalid multicast ip")
    return parse_or_none(interface), parse_or_none(group)


def build(kernel: Kernel) -> Module:
    """The module for one boot."""

    def type_2x(arguments: Args, function: str) -> int:
        # 2.x: the first argument is a type, which 3.0.0 has in no function any more.
        kind = arguments.opt_integer(1, _TCP)
        if kind == _UDP:
            kernel.deprecated(f"net.{function} with net.UDP type", "in next version")
        elif kind != _TCP:
            raise LuaFault("invalid type")
        return kind

    def create_server_2x(arguments: Args) -> Value:
        if type_2x(arguments, "createServer") == _UDP:
            return UdpSocket(kernel)
        return TcpServer(kernel, arguments.opt_integer(2, 30))

    def create_connection_2x(arguments: Args) -> Value:
        if type_2x(arguments, "createConnection") == _UDP:
            return UdpSocket(kernel)
        if arguments.opt_integer(2, 0) != 0:
            kernel.deprecated("net.createConnection with secure flag", "in next version")
            raise LuaFault("secure connections not enabled")
        return TcpSocket(kernel)

    def create_server(arguments: Args) -> Value:
        # The documented (type, timeout) is not what C reads: the first argument is the timeout.
        return TcpServer(kernel, arguments.opt_integer(1, 30))

    def create_connection(_arguments: Args) -> Value:
        return TcpSocket(kernel)

    def create_udp_socket(_arguments: Args) -> Value:
        return UdpSocket(kernel)

    def join(arguments: Args) -> Any:
        kernel.network.groups.join(*_multicast(arguments))  # what IGMP says to it nobody hears
        return ()

    def leave(arguments: Args) -> Any:
        kernel.network.groups.leave(*_multicast(arguments))
        return ()

    def ifinfo(arguments: Args) -> Any:
        if arguments.opt_integer(1, 0) != 0:
            return ()  # 1 is the access point's interface, which is not there
        interface = kernel.network.interface

        def field(ip: int) -> Value:
            return None if ip == ANY else dotted(ip).encode()

        fields: dict[str, Value] = {
            "hwaddr": interface.mac,
            "ip": field(interface.address),
            "netmask": field(interface.netmask),
            "gateway": field(interface.gateway),
        }
        if interface.dhcp_server != ANY:
            lease = {"server_ip": field(interface.dhcp_server), "client_ip": field(interface.address)}
            fields["dhcp"] = kernel.lua.table(lease, 3)
        return kernel.lua.table(fields, 5 if "dhcp" in fields else 4)

    return Module(
        "net",
        {
            "createServer": create_server_2x if kernel.lua.is_2x else create_server,
            "createConnection": create_connection_2x if kernel.lua.is_2x else create_connection,
            "createUDPSocket": create_udp_socket,
            "ifinfo": ifinfo,
            "multicastJoin": join,
            "multicastLeave": leave,
            "ping": build_ping(kernel),
            "dns": build_dns(kernel),
            "TCP": _TCP,
            "UDP": _UDP,
        },
    )
