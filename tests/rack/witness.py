"""Stands between keepers and a board and sees who writes when: it is no part of what leases are made of.

Who writes puts tokens into his bytes, `<NAME:NUMBER>`. Every connection is taken at once, whoever is there already, and
read as fast as it comes: that there is one writer at a time is what is to be shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TOKEN = re.compile(rb"<([^<>:]{1,40}):(\d{1,9})>")
#: Bytes at the end of what was seen that may be the beginning of a token.
_KEPT = 60


class Witness:
    """A TCP server that keeps all tokens in the order in which they came.

    Args:
        board: host and TCP port of the board behind it, if there is one; bytes are passed on both ways.

    Attributes:
        port: TCP port, on 127.0.0.1.
        tokens: (monotonic time, name, number) of each.
        connections: how many there have been.
    """

    def __init__(self, board: tuple[str, int] | None = None) -> None:
        self.port = 0
        self.tokens: list[tuple[float, str, int]] = []
        self.connections = 0
        self._board = board
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run(started)], daemon=True)
        self._thread.start()
        started.wait()

    def wait_for(self, name: str, number: int = 0, timeout: float = 30.0) -> None:
        """Wait for a token of a name with at least this number."""
        with self._news:
            assert self._news.wait_for(
                lambda: any(who == name and which >= number for _, who, which in self.tokens), timeout
            ), f"no token {name}:{number} within {timeout} s"

    def wait_until(self, done: Callable[[], bool], timeout: float = 30.0) -> bool:
        """Wait until something is true that tokens change; False if it is not within `timeout` seconds."""
        with self._news:
            return self._news.wait_for(done, timeout)

    def names(self) -> list[str]:
        """Who wrote, each turn once, in order."""
        names = [who for _, who, _ in self.tokens]
        return [name for number, name in enumerate(names) if not number or names[number - 1] != name]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _run(self, started: threading.Event) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        board: asyncio.StreamWriter | None = None
        back: asyncio.Task[None] | None = None
        kept = bytearray()
        try:
            if self._board is not None:
                from_board, board = await asyncio.open_connection(*self._board)
                back = asyncio.create_task(_pass_on(from_board, writer))
            while data := await reader.read(1 << 16):
                self._look(kept, data)
                if board is not None:
                    board.write(data)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            # What the board has not taken by now it does not get: it is free for the next one.
            if board is not None:
                board.transport.abort()
            if back is not None:
                back.cancel()
            writer.close()

    def _look(self, kept: bytearray, data: bytes) -> None:
        kept += data
        end = 0
        with self._news:
            for found in TOKEN.finditer(kept):
                self.tokens.append((time.monotonic(), found[1].decode(), int(found[2])))
                end = found.end()
            self._news.notify_all()
        del kept[: max(end, len(kept) - _KEPT)]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.close()


@contextmanager
def witness(board: tuple[str, int] | None = None) -> Iterator[Witness]:
    """A witness; before a board, if one is given."""
    seen = Witness(board)
    try:
        yield seen
    finally:
        seen.close()
