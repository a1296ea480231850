"""`board.tls`: the module `tls` of the stock firmware (app/modules/tls.c and app/mbedtls, release 3.0.0).

The firmware's default builds have no `tls`; an image with it must be flashed. It speaks TLS 1.2 with records of at most
4 096 bytes and sends no server name (SNI). It checks certificates only when `cert.verify` says so, and then neither the
name of the host nor dates.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, Final

from bridge.errors import AgentError, BoardOutOfMemory, BridgeError, UsageError
from bridge.mirror.arguments import Data, as_bytes, as_integer, as_port, as_text
from bridge.mirror.handle import Handler
from bridge.mirror.lua import TableSource
from bridge.mirror.table import HandleTable
from bridge.mirror.tcp import SEND_TIMEOUT, Connection, as_host
from bridge.mirror.tls_cert import Cert, no_tls
from bridge.wire.messages import NO_ROOM
from bridge.wire.values import Handle, Value

#: Free heap in bytes without which the firmware does not even begin (espconn_secure.c: SSL_BUFFER_SIZE + 0x3800).
NEEDED_HEAP: Final = 18_432
#: Seconds from `connect` until a handshake counts as lost: names take 15.6 s at most, connecting 7.5 s, and the chip
#: some seconds for its arithmetic.
HANDSHAKE_TIMEOUT = 60.0
#: Seconds in which "disconnection" follows `close`.
CLOSE_TIMEOUT = 10.0
#: Why a connection has ended that brought more than there is room for; the module has no such reason.
OVERFLOW = "Receive overflow"
#: Bytes that the host keeps for handlers that do not keep up, or of a socket that is held.
MOST_KEPT = 65_536
#: How often room for a handshake is looked for, and the pause between, in seconds.
_ROOM_TRIES, _ROOM_PAUSE = 20, 0.1


class TLSSocket(Connection):
    """`tls.socket`: an encrypted TCP connection of the board.

    Events and what their handlers get after the socket:
        "connection": nothing. The handshake is done.
        "receive": the data (bytes), at most 1 460 bytes.
        "sent": nothing. The peer acknowledged a piece of at most 1 460 bytes.
        "disconnection": nothing. The connection was closed, by the peer or by `close`.
        "reconnection": why (str), or None: "Out of memory", "Timeout", "Routing problem", "Connection aborted",
            "Connection reset", "Connection closed", "SSL handshake failed", "SSL application invalid". A certificate
            that was refused comes as None. "Timeout" also comes where the stock module would say nothing for ever, and
            "Receive overflow" (of the bridge) when the peer sends faster than the line, or the handlers, can take.
        "dns": the address (str), or None: the name was not resolved, and no other event will come.
    """

    ROOM = "tls"
    #: A record of so much fits one segment, whatever the cipher adds. Two would take 3 KB of the heap, however short
    #: the second is; of more than 1 460 bytes the firmware sends the rest from a string that it does not keep
    #: (MBEDTLS_SSL_PLAIN_ADD). And a piece is in Lua's heap three times while it comes in.
    CHUNK = 1000
    #: The module takes a piece at once, so the next one crosses the line while that waits for its acknowledgement. A
    #: third would wait in the board's heap.
    IN_FLIGHT = 1
    EVENTS: ClassVar[tuple[str, ...]] = ("connection", "reconnection", "disconnection", "receive", "sent", "dns")
    ERRORS_DISCONNECT = False  # tls.c: without a handler for "reconnection" nobody is told

    def __init__(self, table: HandleTable, handle: Handle, handshake: asyncio.Lock) -> None:
        super().__init__(table, handle)
        self._handshake = handshake
        #: Held by who sends: what several send would wait in the board's heap.
        self._turn = asyncio.Lock()
        self._shaking = False
        self._timer: asyncio.TimerHandle | None = None
        self._held = False
        self._kept = 0
        self._resolving = False
        #: What still comes of a connection that is over for the host is dropped, up to its end.
        self._ending = False

    async def connect(self, port: int, host: str = "127.0.0.1") -> None:
        """Start to connect; ends when the stack has begun, not when the handshake is done ("connection" says that).

        Makes room before: collects what Lua has let go, and holds the board's other sockets until the handshake has
        ended. It takes some seconds, and 20 to 28 KB of heap for a moment; one goes on at a time, the next one waits.

        Stock behaviour to know: without an address (Wi-Fi down) nothing happens, which "reconnection" with "Timeout"
        tells after `HANDSHAKE_TIMEOUT`; a name that is not resolved is told by "dns" alone, and the socket is of no
        use any more.

        Args:
            port: TCP port, 1 to 65535.
            host: address or name.

        Raises:
            BoardOutOfMemory: there is not room enough; the stock module would do nothing and say nothing.
            LuaError: "already connected", "invalid port".
            UsageError: the port or the name is none.
        """
        tcp_port, name = as_port(port), as_host(host)
        if not isinstance(tcp_port, int) or isinstance(tcp_port, bool) or not isinstance(name, str | bytes) or not name:
            raise UsageError("connect wants a port and a host", remedy='Write it as connect(443, "10.0.0.1").')
        self.check()
        if self._shaking:  # the board says what is wrong with that
            await self.call("@tls.connect", tcp_port, name)
            return
        await self._handshake.acquire()
        used, self._shaking = self._in_use, True
        self._set_in_use(True)
        try:
            await self._make_room()
            self._resolving = True
            self._arm(HANDSHAKE_TIMEOUT, self._give_up)
            await self.call("@tls.connect", tcp_port, name)
        except BaseException:
            self._resolving = False
            self._shaken()
            self._set_in_use(used)
            self.table.post("@tls.ease")
            raise

    async def _make_room(self) -> None:
        self.table.caller.spare()
        # What was on its way to sockets comes within moments after they are held, and then leaves over the line.
        free = await self._room()
        for _ in range(_ROOM_TRIES):
            await asyncio.sleep(_ROOM_PAUSE)
            free = await self._room()
            if free > NEEDED_HEAP:
                self.table.caller.spare()  # what made the room is in the handshake's way
                return
        needed, there = (f"{size:,}".replace(",", " ") for size in (NEEDED_HEAP, free))
        raise BoardOutOfMemory(
            f"A TLS connection needs {needed} bytes of free heap on the board, which has {there}",
            port=self.table.caller.url,
            remedy="Close sockets and drop objects first.",
        )

    async def _room(self) -> int:
        """Bytes free on the board with its other sockets held, or 0 while their events wait for the line."""
        (free,) = await self.call("@tls.room")
        return int(free)

    async def send(self, data: Data, callback: Handler | None = None) -> None:
        """Send; ends when the module has taken all of it.

        The stock module drops what is sent before the connection stands, and what is sent before "sent" told that the
        piece before has been acknowledged. Here the first raises, and the second waits. Sends of several tasks leave
        one after the other, each whole.

        Args:
            data: bytes, or str as UTF-8.
            callback: becomes the "sent" handler.

        Raises:
            LuaError: "not connected".
            UsageError: there is no data. (The stock module would never send again.)
        """
        payload = as_bytes(data)
        if not payload:
            raise UsageError("no data to send", remedy="Send at least one byte.")
        async with self._turn:
            await super().send(payload, callback)

    async def close(self) -> None:
        """Close; what was accepted by `send` leaves first. "disconnection" follows when the connection stood.

        Closing what is not connected does nothing, as in the stock module.
        """
        async with self._turn, self._order:
            await self._settle()
            (follows,) = await self.call("@tls.close", timeout=SEND_TIMEOUT)
        if follows:
            self._arm(CLOSE_TIMEOUT, self._closed)
        else:
            self._ending = self._resolving  # the module goes on all the same when it has the address
            self._closed()

    async def hold(self) -> None:
        """Stop receiving: handlers get nothing until `unhold`.

        The stock module does not slow the peer down (the flag that its `hold` sets is read by nobody, and its
        `unhold` then follows a null pointer and resets the chip), so neither is called on the board. What comes
        meanwhile is kept on the host, up to `MOST_KEPT` bytes; then the connection is closed, and "reconnection" with
        "Receive overflow" follows the data.
        """
        self.check()
        self._held = True

    async def unhold(self) -> None:
        """Go on receiving."""
        self.check()
        self._held = False
        self._pump()

    async def getpeer(self) -> tuple[str | None, int | None]:
        """(ip, port) of the peer, in this order (`net` has it the other way round), or (None, None)."""
        ip, port = (*await self.call("@tls.getpeer"), None, None)[:2]
        return as_text(ip), port

    # Below: what happens to it.

    def arrived(self, name: str, values: tuple[Value, ...]) -> None:
        """An event came from the board."""
        ended = name in ("disconnection", "reconnection")
        unknown = name == "dns" and values[:1] == (None,)
        self._resolving = self._resolving and name != "dns"
        if self._ending:
            if name == "connection":
                self.table.post("@tls.close", self.handle)
            self._ending = not (ended or unknown)
            return
        if ended or unknown or name == "connection":
            self._shaken()
        if unknown:
            self._set_in_use(False)
        if name == "reconnection" and values[:1] == (NO_ROOM,):
            values, self._ending = (OVERFLOW.encode(),), True
        if name == "receive":
            self._kept += len(values[0])
        super().arrived(name, values)
        if self._kept > MOST_KEPT:
            self._end_with(OVERFLOW)

    def _holds_back(self, name: str) -> bool:
        return self._held and name == "receive"

    def _done(self, event: Any) -> None:
        if event.name == "receive":
            self._kept -= len(event.values[0])
        super()._done(event)

    def _give_credit(self) -> None:
        """The board does not wait for any."""

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        if name == "disconnection":
            return ()
        return (as_text(values[0]) if values else None,) if name in ("dns", "reconnection") else values

    def _end(self, reason: BridgeError | None) -> None:
        if self._shaking:
            self.table.post("@tls.ease")
        self._shaken()
        super()._end(reason)

    def _arm(self, seconds: float, what: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self.table.loop.call_later(seconds, what)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _shaken(self) -> None:
        """The handshake is done, or will never be."""
        self._disarm()
        if self._shaking:
            self._shaking = False
            self._handshake.release()

    def _give_up(self) -> None:
        self._timer = None
        self._shaken()
        self._end_with("Timeout")

    def _end_with(self, why: str) -> None:
        """Close without a word of the board, and say why in its place."""
        self.table.post("@tls.close", self.handle)
        super().arrived("reconnection", (why.encode(),))
        self._ending = True

    def _closed(self) -> None:
        self._shaken()
        self._set_in_use(False)
        self.table.ended()


class TLS:
    """`tls`.

    Attributes:
        cert: `tls.cert`: whose certificates are believed, and which one the board shows.
    """

    def __init__(self, tables: TableSource) -> None:
        self._tables = tables
        self._handshakes: weakref.WeakKeyDictionary[HandleTable, asyncio.Lock] = weakref.WeakKeyDictionary()
        self.cert = Cert(tables)

    def __repr__(self) -> str:
        return "<module tls>"

    async def createConnection(self) -> TLSSocket:
        """Make a TLS client.

        Raises:
            AgentError: the firmware has no module `tls`.
            BoardOutOfMemory, LinkTimeout, BoardReset, PortLost: see `bridge.link.Caller.call`.
        """
        table = await self._tables()
        made = await table.making.make("@tls.socket")
        if not made:
            raise no_tls(table)
        return TLSSocket(table, made[0], self._handshakes.setdefault(table, asyncio.Lock()))

    async def setDebug(self, level: int) -> None:
        """Let mbedTLS say on the console what it does, from 0 (nothing) to 4; firmware built for debugging has it.

        Raises:
            AgentError: the firmware has no module `tls`, or was built without this.
        """
        level = as_integer(level, "level")
        table = await self._tables()
        found = await table.run_lua(
            "if not tls then return end if not tls.setDebug then return 0 end tls.setDebug(...) return 1", level
        )
        if not found:
            raise no_tls(table)
        if not found[0]:
            raise AgentError(
                "The firmware was built without tls.setDebug",
                port=table.caller.url,
                remedy="Flash an image that was built with MBEDTLS_DEBUG_C.",
            )
