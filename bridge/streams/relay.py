"""Carries bytes between two connections, one of which is the board's, until both have said what they had to say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from dataclasses import dataclass

from bridge.streams.transport import CLOSE_TIMEOUT
from bridge.streams.vanished import vanished

#: Bytes taken at once: a piece on its way to the board takes a second and a half of a line at 115 200 baud.
PIECE = 16_384
#: Seconds that the board's side may be silent after this computer's has closed its sending side. The board cannot pass
#: that on, so a peer that waits for it would wait for ever.
LINGER = 60.0
#: The same where nothing is owed: what was sent last has been answered, and who closes then as a rule has what it
#: wanted. Also for what still comes from this computer when the board's side is over.
SETTLE = 2.0
#: Seconds between two looks whether the program that closed its sending side is still there.
LOOK = 0.5


@dataclass
class Relayed:
    """What was carried."""

    to_board: int = 0
    """Bytes."""
    from_board: int = 0
    """Bytes."""


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def relay(local: Stream, board: Stream, *, linger: float = LINGER, done: Relayed | None = None) -> Relayed:
    """Carry bytes both ways until the connections have ended, and close both.

    When this computer's side closes its sending first (`nc -N` does), it still gets the answer: the board's stack has
    no half-closed connections, so its side stays open until its peer closes, or is silent for `linger` seconds, or
    the program of this computer has gone altogether, as far as the system tells (`vanished`).

    Args:
        local: a connection of this computer.
        board: a connection of the board.
        linger: seconds, see above; 0 where this computer's side is the server, whose end is the end.
        done: counts, also where a connection breaks or this is cancelled.

    Returns:
        What was carried: `done`, if it was given.

    Raises:
        OSError: a connection broke; both have been aborted, this computer's with a reset.
    """
    carrying = _Carrying(local, board, linger, Relayed() if done is None else done)
    out, into = asyncio.ensure_future(carrying.outward()), asyncio.ensure_future(carrying.inward())
    # That a program has gone is seen also while its bytes wait for a peer that takes none. Never cancelled: that would
    # take its end from whoever waits for it next.
    lost = asyncio.ensure_future(local[1].wait_closed())
    try:
        ended, _ = await asyncio.wait([out, into, lost], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        if into in ended:
            await carrying.farewell(out)
    except BaseException as error:
        board[1].transport.abort()
        if isinstance(error, OSError):
            reset(local[1])
        else:
            local[1].transport.abort()
        raise
    finally:
        try:
            for task in (out, into):
                task.cancel()
            await asyncio.gather(out, into, return_exceptions=True)
            for writer in (board[1], local[1]):
                await _close(writer)
            await asyncio.gather(lost, return_exceptions=True)
        finally:  # cancelled meanwhile: whoever ends this has no time
            board[1].transport.abort()
            local[1].transport.abort()
    return carrying.done


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection of this computer so that its peer is told of a failure, not of an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            form = "hh" if os.name == "nt" else "ii"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
    writer.transport.abort()


def keep_little(writer: asyncio.StreamWriter) -> None:
    """Let the system keep no more than some seconds of the line for a program that does not read: it would take
    megabytes, which the other connections have to wait for."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
    writer.transport.set_write_buffer_limits(PIECE)


class _Carrying:
    """The two directions of one relay."""

    def __init__(self, local: Stream, board: Stream, linger: float, done: Relayed) -> None:
        self._local, self._board, self._linger = local, board, linger
        self._heard = asyncio.Event()
        self._delivering = False
        #: What was sent last has not been answered. (A peer that only talks is owed a hearing as well.)
        self._owed = True
        self.done = done

    async def outward(self) -> None:
        """To the board."""
        reader, writer = self._local[0], self._board[1]
        while data := await reader.read(PIECE):
            self._owed = True
            writer.write(data)
            await self._taken()
            self.done.to_board += len(data)
        if self._linger:
            # The answer's time begins when the board's stack has taken all.
            writer.transport.set_write_buffer_limits(0)
            await self._taken()
            await self._answered()

    async def _taken(self) -> None:
        """As `drain`; but a program that has gone does not wait for ever for a peer that takes nothing."""
        writer = self._board[1]
        drain = asyncio.ensure_future(writer.drain())
        try:
            left = writer.transport.get_write_buffer_size()
            while not (await asyncio.wait([drain], timeout=self._linger or LINGER))[0]:
                before, left = left, writer.transport.get_write_buffer_size()
                if before == left and vanished(self._local[1]):
                    raise ConnectionAbortedError("The peer takes nothing, and the program that sent has gone")
        finally:
            drain.cancel()
        await drain

    async def _answered(self) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while True:
            gone = vanished(self._local[1])
            patience = self._linger if gone is False or self._owed else min(SETTLE, self._linger)
            left = heard + patience - loop.time()
            if gone or left <= 0:
                return
            self._heard.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK)):
                    await self._heard.wait()
            if self._heard.is_set() or self._delivering:
                heard = loop.time()

    async def inward(self) -> None:
        """From the board."""
        reader, writer = self._board[0], self._local[1]
        while data := await reader.read(PIECE):
            self._owed = False
            self._heard.set()
            self._delivering = True
            writer.write(data)
            self.done.from_board += len(data)
            await writer.drain()
            self._delivering = False
        if writer.can_write_eof():
            writer.write_eof()

    async def farewell(self, out: asyncio.Future[None]) -> None:
        """The board's side has ended, both ways: let this computer's read what there is, and close.

        What it still sends is taken and dropped for a moment: closing with unread bytes would be a reset, which on
        some systems takes from the peer what it has not read yet.
        """
        out.cancel()
        await asyncio.gather(out, return_exceptions=True)
        self._board[1].close()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(SETTLE):
                while await self._local[0].read(PIECE):
                    pass


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await asyncio.shield(writer.wait_closed())
        except TimeoutError:
            writer.transport.abort()  # the peer takes nothing more
