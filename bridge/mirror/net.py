"""`board.net`: the module `net` of the stock firmware, name for name (app/modules/net.c, release 3.0.0)."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from bridge.errors import UsageError
from bridge.mirror.handle import Handler
from bridge.mirror.lua import TableSource
from bridge.mirror.table import HandleTable
from bridge.mirror.tcp import TCPServer, TCPSocket, as_text
from bridge.mirror.udp import UDPSocket

#: Seconds until a name counts as lost: two DNS servers with four tries each take 15.6 s (recording dns_fail_timing).
RESOLVE_TIMEOUT = 30.0


class _Question:
    """A callback of `net.dns.resolve`. Used again and again, because the link keeps each until the boot ends."""

    def ask(self) -> asyncio.Future[str | None]:
        self._answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        return self._answer

    def __call__(self, socket: object = None, ip: bytes | None = None) -> None:
        if not self._answer.done():
            self._answer.set_result(as_text(ip))


class DNS:
    """`net.dns`."""

    def __init__(self, tables: TableSource) -> None:
        self._tables = tables
        self._idle: weakref.WeakKeyDictionary[HandleTable, list[_Question]] = weakref.WeakKeyDictionary()

    async def resolve(self, host: str, callback: Handler | None = None) -> str | None:
        """Resolve a name by the board.

        Stock behaviour to know: only A records; nothing is cached; a server's "no such name" is ignored, so that a
        name nobody knows takes 7.8 s per DNS server; of several questions at once only the last is answered at
        first, and the others wait for their next try.

        Args:
            host: the name.
            callback: called with (None, address or None), as in Lua; then this returns at once, with None.
                Without one, this waits for the address.

        Returns:
            The address, or None if nobody knows the name.

        Raises:
            LuaError: "illegal argument" (the name), "out of memory" (four questions are open already).
        """
        table = await self._tables()
        if callback is not None:
            function = callback
            await table.call("net.dns.resolve", host, lambda socket, ip=None: function(None, as_text(ip)))
            return None
        idle = self._idle.setdefault(table, [])
        question = idle.pop() if idle else _Question()
        answer = question.ask()
        await table.call("net.dns.resolve", host, question)
        address = await table.wait(answer, RESOLVE_TIMEOUT, f"an address for {host}")
        # Only one that was answered may be asked again: the answer to another may still come.
        idle.append(question)
        return address

    async def getdnsserver(self, index: int = 0) -> str | None:
        """Address of a DNS server, or None. `index` is 0 or 1."""
        table = await self._tables()
        values = await table.call("net.dns.getdnsserver", index)
        found = as_text(values[0]) if values else None
        return None if found is None else str(found)

    async def setdnsserver(self, ip: str, index: int = 0) -> None:
        """Set a DNS server.

        Raises:
            LuaError: "invalid dns server ip", "server index out of range [0-1]".
        """
        table = await self._tables()
        await table.call("net.dns.setdnsserver", ip, index)


class Net:
    """`net`."""

    TCP = 1
    UDP = 2

    def __init__(self, tables: TableSource) -> None:
        self._tables = tables
        self.dns = DNS(tables)

    async def createConnection(self, type: int = TCP, secure: int | bool = 0) -> TCPSocket:
        """Make a TCP client.

        Args:
            type: the stock module takes and ignores it: the socket is TCP also for `net.UDP` (for UDP use
                `createUDPSocket`).
            secure: must be 0. The stock module ignores this too, and would send in the clear what was meant to be
                encrypted; so here it is refused.

        Raises:
            UsageError: `secure` was asked for.
            BoardOutOfMemory, LinkTimeout, BoardReset, PortLost: see `bridge.link.Caller.call`.
        """
        if secure:
            raise UsageError(
                "net.createConnection makes no encrypted connection (stock firmware ignores the argument)",
                remedy="Use the module tls.",
            )
        table = await self._tables()
        (handle,) = await table.caller.call("@net.socket")
        return TCPSocket(table, handle)

    async def createServer(self, type: int | None = None, timeout: int | None = None) -> TCPServer:
        """Make a TCP server.

        Args:
            type: the timeout! The stock module takes its *first* argument as the timeout in seconds, so that
                `createServer(net.TCP, 30)` drops dead clients after 1 s of silence and an unanswered probe.
                Write `createServer(30)`. None is 30 s.
            timeout: ignored, as the stock module does.
        """
        table = await self._tables()
        (handle,) = await table.caller.call("@net.server", str(30 if type is None else int(type)))
        return TCPServer(table, handle)

    async def createUDPSocket(self) -> UDPSocket:
        """Make a UDP socket."""
        table = await self._tables()
        (handle,) = await table.caller.call("@net.udp")
        return UDPSocket(table, handle)

    async def multicastJoin(self, if_ip: str, multicast_ip: str) -> None:
        """Join a multicast group; `if_ip` "" or "any" is every interface."""
        table = await self._tables()
        await table.call("net.multicastJoin", if_ip, multicast_ip)

    async def multicastLeave(self, if_ip: str, multicast_ip: str) -> None:
        """Leave a multicast group."""
        table = await self._tables()
        await table.call("net.multicastLeave", if_ip, multicast_ip)

    async def ifinfo(self, index: int = 0) -> dict[str, Any] | None:
        """What an interface has: ip, netmask, gateway, dhcp (str), hwaddr (six bytes); None if there is none.

        Args:
            index: 0 station, 1 access point.
        """
        table = await self._tables()
        values = await table.call("net.ifinfo", index)
        return _readable(values[0]) if values and values[0] is not None else None


def _readable(info: dict[bytes, Any]) -> dict[str, Any]:
    return {
        as_text(key): _readable(value) if isinstance(value, dict) else value if key == b"hwaddr" else as_text(value)
        for key, value in info.items()
    }
