"""Stands between keepers and a board and sees who writes when: it is no part of what leases are made of.

Who writes puts tokens into his bytes, `<NAME:NUMBER>`. Every connection is taken at once, whoever is there already:
that there is one at a time is what is to be shown.
"""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TOKEN = re.compile(rb"<([^<>:]{1,40}):(\d{1,9})>")


class Witness:
    """A TCP server that keeps all tokens in the order in which they came.

    Attributes:
        tokens: (monotonic time, name, number) of each.
        connections: how many there have been, and how many there are.
    """

    def __init__(self, board: tuple[str, int] | None = None) -> None:
        self._board = board
        self._server = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port: int = self._server.getsockname()[1]
        self.tokens: list[tuple[float, str, int]] = []
        self.most_at_once = self.connections = self._now = 0
        self._news = threading.Condition()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, name: str, number: int = 0, timeout: float = 30.0) -> None:
        """Wait for a token of a name with at least this number."""
        with self._news:
            assert self._news.wait_for(
                lambda: any(who == name and which >= number for _, who, which in self.tokens), timeout
            ), f"no token {name}:{number} within {timeout} s"

    def names(self) -> list[str]:
        """Who wrote, each turn once, in order."""
        names = [who for _, who, _ in self.tokens]
        return [name for number, name in enumerate(names) if not number or names[number - 1] != name]

    def close(self) -> None:
        self._stop.close()
        self._thread.join()

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._server, selectors.EVENT_READ)
        selector.register(self._stopped, selectors.EVENT_READ)
        kept: dict[socket.socket, bytearray] = {}
        other: dict[socket.socket, socket.socket] = {}
        while True:
            for key, _ in selector.select():
                of = key.fileobj
                assert isinstance(of, socket.socket)
                if of is self._stopped:
                    for each in [*kept, *other, self._server, self._stopped]:
                        each.close()
                    selector.close()
                    return
                if of is self._server:
                    client, _ = of.accept()
                    kept[client] = bytearray()
                    self.connections += 1
                    self._now += 1
                    self.most_at_once = max(self.most_at_once, self._now)
                    selector.register(client, selectors.EVENT_READ)
                    if self._board is not None:
                        board = socket.create_connection(self._board)
                        other[client], other[board] = board, client
                        selector.register(board, selectors.EVENT_READ)
                elif of.fileno() >= 0:
                    try:
                        data = of.recv(65536)
                    except OSError:
                        data = b""
                    if of in kept:
                        self._look(kept[of], data)
                    to = other.get(of)
                    if data:
                        if to is not None:
                            try:
                                to.sendall(data)
                            except OSError:
                                data = b""
                    if not data:
                        # The board's end first, so that it is free before the keeper sees the end.
                        for end in (of if of not in kept else to, of if of in kept else to):
                            if end is not None:
                                self._now -= kept.pop(end, None) is not None
                                other.pop(end, None)
                                selector.unregister(end)
                                end.close()

    def _look(self, kept: bytearray, data: bytes) -> None:
        kept += data
        end = 0
        with self._news:
            for found in TOKEN.finditer(kept):
                self.tokens.append((time.monotonic(), found[1].decode(), int(found[2])))
                end = found.end()
            self._news.notify_all()
        del kept[: max(end, len(kept) - 60)]


@contextmanager
def witness(board: tuple[str, int] | None = None) -> Iterator[Witness]:
    """A witness; before a board, if one is given."""
    seen = Witness(board)
    try:
        yield seen
    finally:
        seen.close()
