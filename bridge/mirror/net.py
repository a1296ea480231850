"""`board.net`: the module `net` of the stock firmware, name for name (app/modules/net.c, release 3.0.0)."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine
from typing import Any, Final, Literal, overload

from bridge.mirror import older_forms
from bridge.mirror.arguments import as_integer, as_name, as_text
from bridge.mirror.handle import Handler
from bridge.mirror.lua import TableSource
from bridge.mirror.older_forms import Kind
from bridge.mirror.ping import PingReceived, PingSent, ping_arguments
from bridge.mirror.table import HandleTable
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.mirror.tls import TLS, TLSSocket
from bridge.mirror.tls_cert import Cert
from bridge.mirror.udp import UDPSocket

#: Seconds until a name counts as lost: two DNS servers with four tries each take 15.6 s (recording dns_fail_timing).
RESOLVE_TIMEOUT = 30.0


class _Question:
    """A callback of `net.dns.resolve`. Used again and again: a new function each time would be compiled into a new
    closure on the board, and the link would have to ask it again and again which of them Lua still holds."""

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
            UsageError: the name holds a NUL.
        """
        as_name(host)
        table = await self._tables()
        if callback is not None:
            function = callback
            if not callable(function):
                await table.call("net.dns.resolve", host, function)  # fails, in the board's words
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
        """Address of a DNS server, or None.

        Args:
            index: 0 or 1.

        Raises:
            LuaError: "server index out of range [0-1]".
        """
        as_integer(index, "index")
        table = await self._tables()
        values = await table.call("net.dns.getdnsserver", index)
        found = as_text(values[0]) if values else None
        return None if found is None else str(found)

    async def setdnsserver(self, ip: str, index: int = 0) -> None:
        """Set a DNS server.

        Raises:
            LuaError: "invalid dns server ip", "server index out of range [0-1]".
            UsageError: the address holds a NUL.
        """
        as_name(ip, "The address")
        as_integer(index, "index")
        table = await self._tables()
        await table.call("net.dns.setdnsserver", ip, index)


class Net:
    """`net`.

    Args:
        tables: where the table of the present boot comes from.
        tls: the board's module `tls`, for the older forms that lead there.
    """

    TCP: Final = 1
    UDP: Final = 2

    def __init__(self, tables: TableSource, tls: TLS | None = None) -> None:
        self._tables = tables
        self._tls = TLS(tables) if tls is None else tls
        self.dns = DNS(tables)

    def __repr__(self) -> str:
        return "<module net>"

    @property
    def cert(self) -> Cert:
        """`tls.cert`, where firmware 2.x had it; warns that it has moved."""
        older_forms.warn_of_cert(stacklevel=3)
        return self._tls.cert

    @overload
    def createConnection(
        self, type: Literal[1] = ..., secure: Literal[0, False] = ...
    ) -> Coroutine[Any, Any, TCPSocket]: ...
    @overload
    def createConnection(self, type: Literal[1], secure: Literal[1, True]) -> Coroutine[Any, Any, TLSSocket]: ...
    @overload
    def createConnection(self, type: Literal[2], secure: Literal[0, False] = ...) -> Coroutine[Any, Any, UDPSocket]: ...
    @overload
    def createConnection(
        self, type: int = ..., secure: int = ...
    ) -> Coroutine[Any, Any, TCPSocket | TLSSocket | UDPSocket]: ...
    def createConnection(
        self, type: int = TCP, secure: int = 0
    ) -> Coroutine[Any, Any, TCPSocket | TLSSocket | UDPSocket]:
        """Make a TCP client.

        The older forms give what the document says, whatever the firmware's age, and one DeprecationWarning each:
        `secure` 1 gives a socket of `tls` (firmware 3.x ignores the argument and would send in the clear what was
        meant to be encrypted), and `net.UDP` a UDP socket.

        Args:
            type: `net.TCP` or `net.UDP`.
            secure: 0 or 1.

        Raises:
            UsageError: other values; UDP that is to be encrypted.
            AgentError: an encrypted connection, and the firmware has no module `tls`.
            BoardOutOfMemory, LinkTimeout, BoardReset, PortLost: see `bridge.link.Caller.call`.
        """
        return self.make(older_forms.connection_kind(type, secure, stacklevel=3), 0)

    @overload
    def createServer(
        self, type: Literal[1] | None = ..., timeout: int | None = ...
    ) -> Coroutine[Any, Any, TCPServer]: ...
    @overload
    def createServer(  # type: ignore[overload-overlap]  # 2 is a type and no timeout
        self, type: Literal[2], timeout: int | None = ...
    ) -> Coroutine[Any, Any, UDPSocket]: ...
    @overload
    def createServer(self, type: int | None, timeout: int | None = ...) -> Coroutine[Any, Any, TCPServer]: ...
    def createServer(
        self, type: int | None = None, timeout: int | None = None
    ) -> Coroutine[Any, Any, TCPServer | UDPSocket]:
        """Make a TCP server: `createServer()`, `createServer(timeout)`.

        The older forms `createServer(net.TCP[, timeout])` and `createServer(net.UDP)` give what the document says,
        whatever the firmware's age, and one DeprecationWarning each. (Firmware 3.x takes its first argument as the
        timeout, so that `createServer(net.TCP, 30)` on the board drops dead clients after 1 s.) Timeouts of 1 and
        2 s are therefore written `createServer(timeout=1)`.

        Args:
            type: the timeout, or `net.TCP`, or `net.UDP`.
            timeout: seconds of silence, 1 to 28 800, after which the board asks an accepted client once whether it
                is there, and drops it 10 s later if it is not. A client that is alive stays. None is 30.

        Raises:
            UsageError: a timeout out of range, or no such type.
        """
        return self.make(*older_forms.server_kind(type, timeout, stacklevel=3))

    async def make(self, kind: Kind, seconds: int) -> Any:
        """Make an object of `net`, or a socket of `tls`; the functions above call this.

        Args:
            kind: what is wanted.
            seconds: timeout of a server.
        """
        match kind:
            case Kind.TLS:
                return await self._tls.createConnection()
            case Kind.UDP:
                return await self.createUDPSocket()
        table = await self._tables()
        if not isinstance(seconds, int):
            await table.call("net.createServer", seconds)  # fails, in the board's words
        if kind is Kind.TCP:
            (handle,) = await table.making.make("@net.socket")
            return TCPSocket(table, handle)
        (handle,) = await table.making.make("@net.server", str(seconds))
        return TCPServer(table, handle)

    async def createUDPSocket(self) -> UDPSocket:
        """Make a UDP socket."""
        table = await self._tables()
        (handle,) = await table.making.make("@net.udp")
        return UDPSocket(table, handle)

    async def multicastJoin(self, if_ip: str, multicast_ip: str) -> None:
        """Join a multicast group.

        Args:
            if_ip: address of the interface; "" or "any" is every one.
            multicast_ip: address of the group.

        Raises:
            LuaError: "wrong arg type", "invalid if ip", "invalid multicast ip"; nothing when the stack refuses.
            UsageError: an address holds a NUL.
        """
        as_name(if_ip, "The interface's address"), as_name(multicast_ip, "The group's address")
        table = await self._tables()
        await table.call("net.multicastJoin", if_ip, multicast_ip)

    async def multicastLeave(self, if_ip: str, multicast_ip: str) -> None:
        """Leave a multicast group; takes and raises what `multicastJoin` does."""
        as_name(if_ip, "The interface's address"), as_name(multicast_ip, "The group's address")
        table = await self._tables()
        await table.call("net.multicastLeave", if_ip, multicast_ip)

    async def ifinfo(self, index: int = 0) -> dict[str, Any] | None:
        """What an interface has: ip, netmask, gateway, dhcp (str), hwaddr (six bytes); None if there is none.

        Args:
            index: 0 station, 1 access point.

        Raises:
            LuaError: firmware 2.x has no such function.
        """
        as_integer(index, "index")
        table = await self._tables()
        values = await table.call("net.ifinfo", index)
        return _readable(values[0]) if values and values[0] is not None else None

    async def ping(
        self,
        host: str,
        count: int | PingReceived | None = None,
        received: PingReceived | PingSent | None = None,
        sent: PingSent | None = None,
    ) -> None:
        """Ask a host whether it is there: `ping(host, received)`, `ping(host, count, received)`, and either with `sent`
        behind. Ends when it has begun.

        Stock behaviour to know: one second between the questions; pings at the same time take each other's answers.

        Args:
            host: address or name.
            count: how often; 0 or None is four times.
            received: called for each answer with (bytes, ip, number, milliseconds), milliseconds -1 if none came;
                with (0, None, None, None) if the name was not resolved.
            sent: called at the end with (ip, asked, unanswered, bytes, milliseconds).

        Raises:
            UsageError: no function, a name with a NUL, a negative count.
            LuaError: "lwip error -12" (the name), "memory allocation error: cannot start ping"; firmware 2.x, or one
                built without it, has no such function.
        """
        table = await self._tables()
        if not any(callable(value) for value in (count, received, sent)):
            await table.call("net.ping", as_name(host), count)  # fails, in the board's words
        values = ping_arguments(host, count, received, sent)
        await table.call("net.ping", *values)


def _readable(info: dict[bytes, Any]) -> dict[str, Any]:
    return {
        as_text(key): _readable(value) if isinstance(value, dict) else value if key == b"hwaddr" else as_text(value)
        for key, value in info.items()
    }
