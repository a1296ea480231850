"""Name lookups of `net`: `net.dns`, and what TCP and UDP sockets have in common about names."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, Call, LuaFault, Module, Value
from bridge.virtual.lwip.address import ANY, NONE, dotted, parse_or_none
from bridge.virtual.lwip.dns import MAX_SERVERS
from bridge.virtual.lwip.err import Err
from bridge.virtual.modules.net_object import NOREF, Calls, NetObject, check, run_calls
from bridge.virtual.sdk.kernel import Kernel


class NamedSocket(NetObject):
    """An object with a "dns" callback."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel)
        #: Lookups that are not answered yet; they keep the object alive.
        self.wait_dns = 0
        self.callbacks: dict[str, Value] = {}

    def resolved(self, ip: int) -> None:
        """A lookup ended, and the "dns" callback has been called; `ip` is NONE when it failed."""
        if not self.has_pcb and self.wait_dns == 0:
            self.drop_ref()

    @property
    def has_pcb(self) -> bool:
        raise NotImplementedError

    def look_up(self, name: bytes) -> Calls:
        """Start a lookup, or end it at once for an address.

        Raises:
            LuaFault: the resolver refuses.
        """
        self.wait_dns += 1
        unref = self.take_ref()
        result = self.stack.dns.resolve(name, _found, self)
        if not isinstance(result, Err):
            yield from _answered(self, result)
        elif result is not Err.INPROGRESS:
            self.wait_dns -= 1
            if unref:
                self.drop_ref()
            check(result)


def _found(_name: bytes, ip: int | None, socket: NamedSocket) -> None:
    socket.finish(_answered(socket, NONE if ip is None else ip))


def _answered(socket: NamedSocket, ip: int) -> Calls:
    """As `net_dns_cb`."""
    function = socket.callbacks.get("dns")
    if socket.ref is not NOREF and function is not None:
        yield Call(function, (socket.self_value, _ip_value(ip)))
    socket.wait_dns -= 1
    socket.resolved(ip)


def _ip_value(ip: int) -> Value:
    return None if ip == NONE else dotted(ip).encode()


def dns(arguments: Args, socket: NamedSocket) -> Calls:
    """`socket:dns(name[, fn])`."""
    name = arguments.check_string(2)
    if arguments.is_function(3):
        socket.callbacks["dns"] = arguments.get(3)
    if socket.callbacks.get("dns") is None:
        raise LuaFault("no callback specified")
    yield from socket.look_up(name)
    return ()


def build_dns(kernel: Kernel) -> Module:
    """The table `net.dns`."""

    def found(_name: bytes, ip: int | None, function: Value) -> None:
        run_calls(kernel, answered(NONE if ip is None else ip, function))

    def answered(ip: int, function: Value) -> Calls:
        yield Call(function, (None, _ip_value(ip)))

    def resolve(arguments: Args) -> Calls:
        name = arguments.check_string(1)
        function = arguments.check_function(2)
        result = kernel.network.dns.resolve(name, found, function)
        if not isinstance(result, Err):
            yield from answered(result, function)
        elif result is not Err.INPROGRESS:
            check(result)
        return ()

    def server_index(arguments: Args, number: int) -> int:
        index = arguments.opt_integer(number, 0)
        if index >= MAX_SERVERS:
            raise LuaFault(f"server index out of range [0-{MAX_SERVERS - 1}]")
        return index

    def setdnsserver(arguments: Args) -> Any:
        text = arguments.check_string(1)
        ip = parse_or_none(text)
        if len(text) > 16 or ip in (NONE, ANY):
            raise LuaFault("invalid dns server ip")
        kernel.network.dns.set_server(server_index(arguments, 2), ip)
        return ()

    def getdnsserver(arguments: Args) -> Any:
        ip = kernel.network.dns.get_server(server_index(arguments, 1))
        return (None,) if ip == ANY else dotted(ip).encode()

    return Module("dns", {"setdnsserver": setdnsserver, "getdnsserver": getdnsserver, "resolve": resolve})
