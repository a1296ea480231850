"""The stream of bytes of one direction, and the pieces in which it was written or arrived."""

from __future__ import annotations

from bridge.trace.secrets import Scanner


class Chunk:
    """Bytes that were written, or arrived, together.

    Args:
        t: when, in seconds.
        to_host: they arrived.
        data: what they were; what is kept of them, `kept` says when `open` has come to 0.
    """

    def __init__(self, t: float, to_host: bool, data: bytes) -> None:
        self.t = t
        self.to_host = to_host
        self.data = data
        self.open = len(data)
        """Bytes of which nobody has said yet what is to be kept."""
        self.elided = 0
        """Bytes of secrets that were exchanged."""
        self._pieces: list[tuple[int, bytes]] = []

    def settle(self, start: int, stop: int, kept: bytes, elided: int) -> None:
        """Keep these bytes in place of those from `start` to `stop`."""
        self._pieces.append((start, kept))
        self.open -= stop - start
        self.elided += elided

    @property
    def kept(self) -> bytes:
        """What is to be kept, when all is settled."""
        return b"".join(kept for _, kept in sorted(self._pieces))


class Note:
    """A line of a trace that is no data.

    Args:
        t: when, in seconds.
        text: the line.
    """

    open = 0

    def __init__(self, t: float, text: str) -> None:
        self.t = t
        self.text = text


class Run:
    """Some bytes that follow one another in a stream, in one chunk or several."""

    def __init__(self, parts: list[tuple[Chunk, int, int]]) -> None:
        self._parts = parts
        self.data = b"".join(chunk.data[start:stop] for chunk, start, stop in parts)

    def settle(self, kept: bytes, elided: int = 0) -> None:
        """Keep these bytes in their place, cut where the originals were cut.

        Args:
            kept: as long as the originals, or the last chunk takes what is more or less.
            elided: how many bytes of them were exchanged; counted where they begin.
        """
        at = 0
        for number, (chunk, start, stop) in enumerate(self._parts, 1):
            end = len(kept) if number == len(self._parts) else at + stop - start
            chunk.settle(start, stop, kept[at:end], elided if number == 1 else 0)
            at = end

    def cut(self, at: int) -> tuple[Run, Run]:
        """The same bytes as two runs, of which the second begins with byte `at`."""
        return self._slice(0, at), self._slice(at, len(self.data))

    def __add__(self, other: Run) -> Run:
        return Run([*self._parts, *other._parts])

    def lines(self) -> list[Run]:
        """The same bytes, one run for each line."""
        runs = []
        at = 0
        for line in self.data.splitlines(keepends=True):
            runs.append(self._slice(at, at + len(line)))
            at += len(line)
        return runs

    def _slice(self, first: int, end: int) -> Run:
        parts = []
        at = 0
        for chunk, start, stop in self._parts:
            a, b = max(first - at, 0), min(end - at, stop - start)
            if a < b:
                parts.append((chunk, start + a, start + b))
            at += stop - start
        return Run(parts)


class Way:
    """One direction's bytes that belong to no run yet.

    Args:
        to_host: from the board.
    """

    def __init__(self, *, to_host: bool) -> None:
        self.to_host = to_host
        self.pending = bytearray()
        self.since = 0.0
        """When the first of them came, in seconds."""
        self.last = 0.0
        """When the last of them came."""
        self.silent = 0
        """How many of them came before a silence that a session takes for the end of a frame."""
        self.cut = False
        """A NUL has been seen."""
        self.scanner = Scanner()
        """Reads the text between frames."""
        self._parts: list[tuple[Chunk, int, int]] = []

    def append(self, chunk: Chunk) -> None:
        """Bytes follow."""
        if not self.pending:
            self.since = chunk.t
        self.last = chunk.t
        self.pending += chunk.data
        self._parts.append((chunk, 0, len(chunk.data)))

    def take(self, count: int) -> Run:
        """Cut the first bytes off."""
        taken: list[tuple[Chunk, int, int]] = []
        left = count
        while left:
            chunk, start, stop = self._parts.pop(0)
            size = min(left, stop - start)
            taken.append((chunk, start, start + size))
            if start + size < stop:
                self._parts.insert(0, (chunk, start + size, stop))
            left -= size
        del self.pending[:count]
        self.silent = max(0, self.silent - count)
        if self._parts:
            self.since = self._parts[0][0].t
        return Run(taken)
