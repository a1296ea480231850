"""Two sessions and a bad line between them, with an elider that listens where a traced port would."""

from __future__ import annotations

from bridge.trace.elision import Elider
from bridge.trace.file import Record, Trace
from bridge.trace.pieces import Chunk, Note
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec
from tests.wire.session_pair import Damage, SessionPair

#: Of the sessions of a `SessionPair`.
CODEC = Codec(CheckKind.CRC, 0x1234)


class TappedPair(SessionPair):
    """What goes over the host's end of the line is elided; `trace()` is what a file would hold."""

    def __init__(self, *, to_board: Damage | None = None, to_host: Damage | None = None) -> None:
        super().__init__(to_board=to_board, to_host=to_host)
        self.elider = Elider()
        self.elider.begin(CODEC, 0.0)
        self.raw: list[tuple[float, str, bytes]] = []
        self._kept: list[Chunk | Note] = []
        receive = self.host.receive_data

        def tapped(data: bytes, now: float) -> None:
            self._tap(data, "<")
            receive(data, now)

        self.host.receive_data = tapped  # type: ignore[method-assign]

    def put(self, way: str, data: bytes) -> None:
        if way == "to_board":
            self._tap(data, ">")
        super().put(way, data)

    def _tap(self, data: bytes, mark: str) -> None:
        while (due := self.elider.deadline()) is not None and due <= self.now:
            self.elider.handle_timeout(due)
        self.raw.append((self.now, mark, data))
        self.elider.feed(data, self.now, to_host=mark == "<")
        self._kept += self.elider.take()

    def trace(self) -> Trace:
        """What was kept."""
        self.elider.flush(self.now)
        self._kept += self.elider.take()
        note = Record(0.0, "=", text="session", facts={"check": "crc", "epoch": CODEC.epoch})
        chunks = [item for item in self._kept if isinstance(item, Chunk)]
        records = [Record(item.t, "<" if item.to_host else ">", item.kept, elided=item.elided) for item in chunks]
        return Trace("a pair", {"trace": 1, "port": "a pair"}, (note, *records))
