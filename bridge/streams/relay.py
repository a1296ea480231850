"""Carries bytes between two connections, one of which is the board's, until both have said what they had to say."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

#: Bytes taken at once: a piece on its way to the board takes a second and a half of a line at 115 200 baud.
PIECE = 16_384
#: Seconds that the other side may be silent after one has closed its sending side. The board cannot pass that on, so
#: a peer that waits for it would wait for ever.
LINGER = 60.0


@dataclass
class Relayed:
    """What was carried."""

    to_board: int = 0
    """Bytes."""
    from_board: int = 0
    """Bytes."""


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def relay(local: Stream, board: Stream, *, linger: float = LINGER) -> Relayed:
    """Carry bytes both ways until the connections have ended, and close both.

    The side that closes its sending first (`curl` does not, `nc -N` does) still gets the other's answer: the board's
    stack has no half-closed connections, so its side stays open until its peer closes or is silent for `linger`
    seconds.

    Args:
        local: a connection of this computer.
        board: a connection of the board.
        linger: seconds, see above.

    Raises:
        OSError: a connection broke; both have been aborted.
    """
    done = Relayed()
    heard = asyncio.Event()

    async def outward() -> None:
        while data := await local[0].read(PIECE):
            board[1].write(data)
            await board[1].drain()
            done.to_board += len(data)
        # No more comes from here: the answer is waited for as long as something comes.
        while True:
            heard.clear()
            try:
                async with asyncio.timeout(linger):
                    await heard.wait()
            except TimeoutError:
                return

    async def inward() -> None:
        while data := await board[0].read(PIECE):
            heard.set()
            local[1].write(data)
            await local[1].drain()
            done.from_board += len(data)
        if local[1].can_write_eof():
            local[1].write_eof()

    out, into = asyncio.ensure_future(outward()), asyncio.ensure_future(inward())
    try:
        # The board's side ends both ways at once; this computer's side may go on hearing.
        ended, _ = await asyncio.wait([out, into], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    except BaseException:
        board[1].transport.abort()
        local[1].transport.abort()
        raise
    finally:
        for task in (out, into):
            task.cancel()
        await asyncio.gather(out, into, return_exceptions=True)
        for writer in (board[1], local[1]):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    return done
