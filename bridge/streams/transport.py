"""A connection of the board as an `asyncio.Transport`.

What of the stock stack shows: a peer that closes its side closes the connection (app/modules/net.c closes as soon as a
FIN comes), so there is no half-closed state, and `eof_received` is followed by `connection_lost` whatever it returns.
"""

from __future__ import annotations

import asyncio
import copy
from asyncio import constants
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from bridge.errors import BridgeError, ConnectionAborted, ConnectionReset, LuaError, NetTimeout
from bridge.mirror.tcp import Connection
from bridge.streams.crowd import SEGMENT, Crowd, Sender
from bridge.streams.deliver import give
from bridge.streams.flow import WriteFlow
from bridge.streams.reasons import standard, told

#: Seconds from `close` until what was written has left.
CLOSE_TIMEOUT = 30.0
#: Calls of `send` under way at once: the next piece crosses the line while the stack takes one.
IN_FLIGHT = 2


class BoardTransport(WriteFlow):
    """A connection of the board that stands.

    Made by `Streams`, in three steps: `__init__` begins to keep what comes, `begin` makes the protocol's connection.

    Args:
        socket: connected; its handlers are this transport's from here on.
        where: the peer, for messages.
        extra: for `get_extra_info`.
        crowd: those that send.
        close_timeout: seconds from `close` until what was written has left; then the connection is aborted, and
            `connection_lost` gets a `NetTimeout`.
        ended: called once when the board's connection is over.
        closing: in which the board closes the connection, when it may; see `Slots.closing`.
    """

    #: What `loop.start_tls` and `StreamWriter.start_tls` look for, and `loop.sendfile`.
    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.FALLBACK

    def __init__(
        self,
        socket: Connection,
        where: str,
        extra: dict[str, Any],
        *,
        crowd: Crowd,
        close_timeout: float = CLOSE_TIMEOUT,
        ended: Callable[[], None],
        closing: Callable[[asyncio.Event], AbstractAsyncContextManager[None]],
    ) -> None:
        super().__init__(extra, socket.table.loop)
        self._socket, self._where, self._close_timeout, self._ended = socket, where, close_timeout, ended
        self._closing_turn = closing
        #: The board's connection is over: there is nothing to close.
        self._ended_there = asyncio.Event()
        self._crowd, self._sender = crowd, Sender(crowd, socket.table.loop)
        self._waiting = bytearray()
        self._pumping: asyncio.Task[None] | None = None
        self._shutting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reading = asyncio.Event()
        self._paused = self._closing = self._over = False
        #: The board refuses what is sent; the event that says why has not reached the protocol.
        self._broken = False
        self._error: BaseException | None = None
        socket.on("receive", self._received)
        socket.on("sent", lambda socket: self._sender.told())
        socket.on("disconnection", self._disconnected)
        socket.on("reconnection", self._reconnected)
        socket.when_gone(self._gone)

    def __repr__(self) -> str:
        state = "closed" if self._over else "closing" if self._closing else "open"
        return f"<BoardTransport {self._where} {state}>"

    def rename(self, where: str) -> None:
        """Call the peer so in messages from now on."""
        self._where = where

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Make the connection of a protocol, and give it what has come and comes."""
        self._protocol = protocol
        try:
            protocol.connection_made(self)
        except Exception as error:  # the connection stands all the same, as in asyncio
            self._tell_loop(error, "protocol.connection_made() failed")
        if self._over:
            self._loop.call_soon(self._tell_lost, self._error)
        else:
            # In the loop's next turn, as asyncio's own transports do.
            self._loop.call_soon(self._start_reading)

    def _start_reading(self) -> None:
        if not self._paused:
            self._reading.set()

    # asyncio.BaseTransport

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Close when everything has left that was written; what still comes is dropped."""
        if self._closing:
            return
        self._closing = True
        self._reading.set()
        self._timer = self._loop.call_later(self._close_timeout, self._give_up)
        if self._pumping is None:
            self._shut()

    def abort(self) -> None:
        """Close at once; what has not left is lost."""
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        """Abort with an error; asyncio's TLS asks for it by this name."""
        self._closing = True
        self._reading.set()
        self._lost(error)

    # asyncio.ReadTransport

    def is_reading(self) -> bool:
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Give the protocol no data. The board holds its peer as soon as `bridge.wire.messages.CREDIT` bytes wait."""
        if self.is_reading():
            self._paused = True
            self._reading.clear()
            if self._broken:
                self._loop.call_soon(self._lost, self._reset())

    def resume_reading(self) -> None:
        if self._paused and not self._closing:
            self._paused = False
            self._reading.set()

    # asyncio.WriteTransport

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._closing or not data:
            return
        before = len(self._waiting)
        self._waiting += data
        if self._pumping is None:
            self._pumping = self._loop.create_task(self._pump())
        self._wrote(len(self._waiting) - before)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """False: the module `net` cannot close one side of a connection."""
        return False

    def write_eof(self) -> None:
        raise NotImplementedError("The stock firmware cannot close one side of a connection")

    # What goes out.

    async def _pump(self) -> None:
        """Send what waits, in order, with the next piece under way while the stack takes one."""
        flying: deque[tuple[int, asyncio.Task[None]]] = deque()
        self._sender.begin()
        try:
            while self._waiting or flying:
                if self._crowd.crowded and not flying and self._socket.ROOM == "net":
                    await self._send_in_a_crowd()
                    continue
                while self._waiting and len(flying) < IN_FLIGHT and not (flying and self._crowd.crowded):
                    piece = self._take(self._socket.CHUNK)
                    self._sender.leaves()
                    flying.append((len(piece), self._loop.create_task(self._socket.send(piece))))
                size, task = flying[0]
                await task
                flying.popleft()
                self._left(size)
        except LuaError as error:
            if "not connected" not in error.message:
                self._lost(standard(error, self._where, make=ConnectionAborted))
            else:
                # The event that says why comes behind the data before it, which the protocol may still want; but if it
                # does not read, it would wait for ever. asyncio drops data then, too.
                self._broken = True
                self._waiting.clear()
                if self._closing or not self._reading.is_set():
                    self._lost(self._reset())
        except BridgeError as error:
            self._lost(standard(error, self._where))
        finally:
            self._pumping = None
            for _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, task in flying), return_exceptions=True)
            self._sender.end(over=self._over)
        if self._closing and not self._over:
            self._shut()

    def _take(self, most: int) -> bytes:
        piece = bytes(self._waiting[:most])
        del self._waiting[: len(piece)]
        return piece

    async def _send_in_a_crowd(self) -> None:
        while not await self._sender.acknowledged():
            # Where the protocol does not read, what tells of it waits behind data that it does not want.
            if not self._reading.is_set():
                break
        async with self._crowd.turn():
            async with self._crowd.line():
                self._sender.leaves()
                piece = self._take(SEGMENT)
                await self._socket.send(piece)
            self._left(len(piece))
            await self._sender.acknowledged()

    def _reset(self) -> ConnectionReset:
        return ConnectionReset(f"{self._where} has closed the connection", port=self._socket.table.caller.url)

    def _shut(self) -> None:
        self._shutting = self._loop.create_task(self._close_socket())

    async def _close_socket(self) -> None:
        # All has left: to wait until the board may close is no part of the time that was given for that.
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with self._closing_turn(self._ended_there):
                self._timer = self._loop.call_later(self._close_timeout, self._give_up)
                try:
                    await self._socket.close()
                except LuaError:
                    self._ended_there.set()  # the peer has closed already
        except BridgeError as error:
            self._lost(standard(error, self._where))
            return
        self._ended_there.set()
        self._lost(None)

    def _give_up(self) -> None:
        what = f"What was written to {self._where} did not leave within {self._close_timeout:g} s"
        self._lost(NetTimeout(what, port=self._socket.table.caller.url))

    # What comes in. A handler that returns an awaitable holds up what comes after it, and gives no credit meanwhile.

    def _received(self, socket: Connection, data: bytes) -> Awaitable[None] | None:
        return self._when_reading(self._deliver, data)

    def _disconnected(self, socket: Connection, code: int = 0) -> Awaitable[None] | None:
        self._ended_there.set()
        return self._when_reading(self._peer_closed)

    def _reconnected(self, socket: Connection, reason: int | str | None = None) -> Awaitable[None] | None:
        self._ended_there.set()
        error = told(reason, self._where, connecting=False, port=socket.table.caller.url)
        return self._when_reading(self._lost, error)

    def _when_reading(self, what: Callable[..., None], *values: Any) -> Awaitable[None] | None:
        if self._reading.is_set():
            what(*values)
            return None
        return self._later(what, *values)

    async def _later(self, what: Callable[..., None], *values: Any) -> None:
        while not self._reading.is_set():
            await self._reading.wait()
        what(*values)

    def _deliver(self, data: bytes) -> None:
        if self._closing:
            return
        protocol = self._protocol
        try:
            give(protocol, data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal(error, "protocol.data_received() failed")

    def _peer_closed(self) -> None:
        if not self._closing:
            self._closing = True
            protocol = self._protocol
            try:
                assert isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol)
                protocol.eof_received()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._fatal(error, "protocol.eof_received() failed")
                return
        # A system's socket takes some KB and tells nobody when the peer does not want them (a farewell of TLS, say). A
        # writer that waits because more does not fit hears of it, there as here.
        unsent = self._protocol_paused or self._unsent > self.get_write_buffer_limits()[1]
        self._lost(self._reset() if unsent else None)

    def _fatal(self, error: BaseException, message: str) -> None:
        if not isinstance(error, OSError):  # as asyncio's own: those are the network's, and the protocol hears of them
            self._tell_loop(error, message)
        self._closing = True
        self._lost(error)

    # The end.

    def _gone(self, reason: BridgeError | None) -> None:
        self._ended_there.set()
        self._lost(None if reason is None else standard(copy.copy(reason), self._where))

    def _lost(self, error: BaseException | None) -> None:
        if self._over:
            return
        self._over = self._closing = True
        self._error = error
        self._reading.set()
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        current = asyncio.current_task(self._loop)
        for task in (self._pumping, self._shutting):
            if task is not None and task is not current:
                task.cancel()
        self._unsent = 0
        if self._pumping is None:
            self._sender.end(over=True)
        self._loop.call_soon(self._tell_lost, error)
        # Not among the table's tasks: those end with the boot, and the slot must come back all the same.
        self._leaving = self._loop.create_task(self._let_go())

    def _tell_lost(self, error: BaseException | None) -> None:
        self._protocol.connection_lost(error)  # type: ignore[arg-type]  # asyncio gives what was raised, whatever it is

    async def _let_go(self) -> None:
        try:
            # A connection that stands yet, because it was aborted, the board closes as well when its handle is let go.
            async with self._closing_turn(self._ended_there):
                await self._socket.release()
        finally:
            self._ended()
