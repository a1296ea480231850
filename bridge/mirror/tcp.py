"""TCP sockets and servers of `net`, with NodeMCU's names and NodeMCU's behaviour.

Facts are from app/modules/net.c and app/lwip of the stock firmware, release 3.0.0. What differs from a socket in Lua
on the board is only what keeps the board alive: `send` may be given more than fits the stack's buffer and waits
instead of raising "out of memory", and `close` lets what was sent leave first.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Coroutine
from typing import Any, ClassVar

from bridge.errors import UsageError
from bridge.mirror.arguments import Data, as_address, as_bytes, as_integer, as_name, as_port, as_text
from bridge.mirror.handle import Handler, Remote
from bridge.mirror.table import HandleTable
from bridge.wire.messages import MAX_CHUNK
from bridge.wire.values import Handle, Value

#: Seconds that `send` and `close` wait for the peer to make room. lwIP itself gives up on a silent peer after
#: minutes (TCP_MAXRTX 12 with backoff), and then the socket's "reconnection" event comes.
SEND_TIMEOUT = 300.0


def as_host(host: Value) -> Value:
    """The host of `connect`.

    Raises:
        UsageError: it is a function, which Lua would ignore there, or a name that cannot be one.
    """
    if callable(host):
        raise UsageError("The host is a function", remedy="Write connect(port, host, function).")
    return as_name(host)


def where_to_listen(port: Value = None, ip: Value = None) -> tuple[int, str | None]:
    """Port and address of `listen`, of which either may be left out; text in the first place is an address.

    Raises:
        UsageError: what was given is no port or no address.
    """
    port = as_port(port)
    if isinstance(port, str) and ip is None:
        port, ip = None, port
    if port is not None and (not isinstance(port, int) or isinstance(port, bool)):
        raise UsageError(f"{port!r} is no port", remedy="Give a whole number.")
    if ip is not None and (not isinstance(as_name(ip, "The address"), str) or not ip):
        raise UsageError(f"{ip!r} is no address", remedy='Write it as "10.0.0.1".')
    return port or 0, ip


class Connection(Remote):
    """What sockets of `net` and `tls` have in common: they send, close and hold.

    Attributes:
        ROOM: the agent's room whose functions do it on the board.
        CHUNK: bytes that one call carries at most.
        IN_FLIGHT: calls of one `send` that may be on their way at once: the next chunk crosses the line while the stack
            takes one.
    """

    ROOM: ClassVar[str]
    CHUNK: ClassVar[int] = MAX_CHUNK
    IN_FLIGHT: ClassVar[int] = 2

    def __init__(self, table: HandleTable, handle: Handle, *, accepted: bool = False) -> None:
        super().__init__(table, handle)
        self._order = asyncio.Lock()
        self._under_way: set[asyncio.Future[tuple[Value, ...]]] = set()
        if accepted:
            self._set_in_use(True)

    async def send(self, data: Data, callback: Handler | None = None) -> None:
        """Send; ends when the board's stack has accepted all of it.

        Not when the peer has it: "sent" tells of the peer's acknowledgements. A send that starts from the host
        leaves the board up to 250 ms later (lwIP's timer), unless data is already flowing. Sends of several tasks
        leave one after the other, each whole.

        Args:
            data: bytes, or str as UTF-8.
            callback: becomes the "sent" handler.

        Raises:
            LuaError: "not connected", "no data to send".
            BoardOutOfMemory: the board's heap is full; the stack may have taken the data all the same, if there was no
                memory only for the answer.
        """
        if callback is not None:
            self.on("sent", callback)
        payload = as_bytes(data)
        if not isinstance(payload, bytes) or not payload:
            # Fails, in the board's words, and at once: the agent would take it for data that finds no room.
            async with self._order:
                await self.call(":send", payload)
            return
        chunks = [payload[at : at + self.CHUNK] for at in range(0, len(payload), self.CHUNK)]
        flying: deque[asyncio.Task[tuple[Value, ...]]] = deque()
        try:
            async with self._order:  # held only until the last chunk is on its way: others may follow at once
                for chunk in chunks:
                    if len(flying) >= self.IN_FLIGHT:
                        await flying.popleft()
                    flying.append(self._start(self.call(f"@{self.ROOM}.send", chunk, timeout=SEND_TIMEOUT)))
            while flying:
                await flying.popleft()
        finally:
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    def _start(self, call: Coroutine[Any, Any, tuple[Value, ...]]) -> asyncio.Task[tuple[Value, ...]]:
        task = self.table.loop.create_task(call)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _settle(self) -> None:
        """Wait for the sends that were begun. They are other tasks': who gives this up does not end them."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        """Close; what was accepted by `send` leaves first. Fires no event, and what came before is told no more.

        When this is cancelled it may be closed or not; a socket that nobody holds is let go then, handlers or not.

        Raises:
            LuaError: "not connected", also when the peer has closed already.
        """
        try:
            async with self._order:
                await self._settle()
                await self.call(f"@{self.ROOM}.close", timeout=SEND_TIMEOUT)
            self._drop_events()
        finally:
            self._set_in_use(False)  # no event comes any more that would
        self.table.ended()

    async def hold(self) -> None:
        """Stop receiving; up to `CREDIT` bytes still come in (on the board itself one TCP window, 5 840 bytes).

        The host gives no more credit, on which the agent holds the stack's socket: with two sides that hold and let
        go of one socket, one of them would let in more than the board's heap can take.
        """
        self.check()
        self._withhold(True)

    async def unhold(self) -> None:
        """Go on receiving."""
        self.check()
        self._withhold(False)

    def _happened(self, name: str) -> None:
        if name in ("disconnection", "reconnection"):
            self._set_in_use(False)
            self.table.ended()


class TCPSocket(Connection):
    """`net.socket`: a TCP connection of the board.

    Events and what their handlers get after the socket:
        "connection": nothing. The connection stands.
        "receive": the data (bytes), at most 1 460 bytes as lwIP hands them over.
        "sent": nothing. An acknowledgement of the peer came: one `send` may bring two, two may bring one.
        "disconnection": the code (int). The peer closed (0); also errors if "reconnection" has no handler.
        "reconnection": the code (int). -8 aborted (the peer is silent), -9 reset or refused, -1 (of the bridge)
            more came than the board's heap holds: the connection was given up.
        "dns": the address (str), or None: the name was not resolved.
    """

    ROOM = "net"
    EVENTS: ClassVar[tuple[str, ...]] = ("connection", "reconnection", "disconnection", "receive", "sent", "dns")

    async def connect(self, port: int, host: str = "127.0.0.1", callback: Handler | None = None) -> None:
        """Start to connect; ends when the stack has begun, not when the connection stands ("connection" says that).

        Stock behaviour to know: a silent address fails after about 7.5 s with "reconnection" -8; with no route (Wi-Fi
        down) nothing ever happens; a name that cannot be resolved fails after 7.8 s per DNS server and is then tried
        as 255.255.255.255, which fails 7.5 s later; the default host is of no use, as the stack has no loopback.

        Args:
            port: TCP port, 1 to 65535.
            host: address or name.
            callback: becomes the "connection" handler.

        Raises:
            LuaError: "already connected", "specify port", "illegal argument" (the name), "out of memory".
            UsageError: the port is beyond 65535, or the name holds a NUL.
        """
        where = (as_port(port), as_host(host))
        if callback is not None and not callable(callback):
            await self.call(":connect", *where, callback)  # fails, in the board's words
        used, earlier = self._in_use, self._serial
        with self._handling("connection", callback):
            self._set_in_use(True)
            try:
                # What the agent reads by itself needs nothing on the board that reads values, which costs 2 KB there.
                plain = type(where[0]) is int and isinstance(where[1], str) and where[1]
                await self.call("@net.connect" if plain else ":connect", *where)
            except BaseException:
                self._set_in_use(used)
                raise
        self._drop_events(earlier)  # of an earlier connection of this socket

    async def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event, None after 7.8 s per DNS server that does not know.

        Args:
            domain: the name.
            callback: becomes the "dns" handler.
        """
        with self._handling("dns", callback):
            await self.call(":dns", as_name(domain))

    async def getpeer(self) -> tuple[int | None, str | None]:
        """(port, ip) of the peer, or (None, None) when not connected."""
        return as_address(await self.call(":getpeer"))

    async def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) of this end, or (None, None) when not connected."""
        return as_address(await self.call(":getaddr"))

    async def ttl(self, ttl: int | None = None) -> int:
        """Set or read the time to live.

        Args:
            ttl: 0 to 255; None or -1 reads it.

        Raises:
            LuaError: "socket is not open/bound yet".
        """
        wanted = as_integer(ttl, "time to live", -1, 255)
        return int((await self.call(":ttl", *(() if wanted is None else (wanted,))))[0])

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return (as_text(values[0]) if values else None,) if name == "dns" else values


class TCPServer(Remote):
    """`net.server`: accepts TCP connections on the board."""

    #: Not an event of the stock module: the callback of `listen`, through the same door.
    EVENTS: ClassVar[tuple[str, ...]] = ("accept",)

    async def listen(
        self, port: int | str | Handler | None = None, ip: str | Handler | None = None, callback: Handler | None = None
    ) -> None:
        """Accept connections.

        As in Lua, port and address may be left out: `listen(fn)`, `listen(port, fn)`, `listen(ip, fn)`,
        `listen(port, ip, fn)`.
        At most five connections can stand at once on the board; a sixth client is ignored until it gives up.

        Args:
            port: TCP port; None or 0 lets the board choose (`getaddr` tells which).
            ip: address to listen on; None is all.
            callback: called with each `TCPSocket`. If it is a coroutine function, it runs beside, so that a long
                one holds up no other client. What the socket receives is kept until handlers are set.

        Raises:
            UsageError: the port is none.
            LuaError: "need callback", "already listening", "out of memory" (the port is taken), "invalid IP address".
        """
        given = [value for value in (port, ip, callback) if value is not None]
        function = given[-1] if given else None
        if not any(callable(value) for value in given):
            await self.call(":listen", *given)  # fails, in the board's words
        if not callable(function) or any(callable(value) for value in given[:-1]):
            raise UsageError("need callback", remedy="Write listen(port, function) or listen(port, ip, function).")
        tcp_port, bind = where_to_listen(*(None if callable(value) else value for value in (port, ip)))

        def accept(server: Remote, connection: TCPSocket) -> None:
            result = function(connection)
            if inspect.isawaitable(result):
                self.table.spawn(self._watch(result, connection))

        before, handler = self._in_use, self._handlers.get("accept")
        self.on("accept", accept)
        self._set_in_use(True)
        try:
            await self.call("@net.listen", tcp_port, bind)
        except BaseException:
            self.on("accept", handler)
            self._set_in_use(before)
            raise

    async def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) it listens on, ("0.0.0.0" for all), or (None, None) when it does not."""
        return as_address(await self.call(":getaddr"))

    async def close(self) -> None:
        """Stop listening. Connections that were accepted go on.

        Raises:
            LuaError: "not connected": it does not listen.
        """
        try:
            await self.call(":close")
        finally:
            self._set_in_use(False)  # also when it is cancelled: it may have been closed

    async def _watch(self, result: object, connection: TCPSocket) -> None:
        assert inspect.isawaitable(result)
        try:
            await result
        except Exception as error:
            self.table.report(error, f"callback of {self!r} for {connection!r}")

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        if name == "accept" and values and isinstance(values[0], Handle):
            return (TCPSocket(self.table, values[0], accepted=True),)
        return values
