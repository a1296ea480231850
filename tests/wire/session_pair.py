"""Two sessions joined by a line that damages bytes, on a clock of its own: the tool of the session's tests."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bridge.wire.check import CheckKind
from bridge.wire.events import ConsoleText, Failed, MessageReceived
from bridge.wire.frame import Codec
from bridge.wire.messages import Message
from bridge.wire.session import Session


@dataclass
class Damage:
    """What a line does to bytes; shares of bytes, seeded."""

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    seed: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def apply(self, data: bytes) -> bytes:
        if not (self.drop or self.flip or self.duplicate):
            return data
        out = bytearray()
        for byte in data:
            if self.random.random() < self.drop:
                continue
            if self.random.random() < self.flip:
                byte ^= 1 << self.random.randrange(8)
            out.append(byte)
            if self.random.random() < self.duplicate:
                out.append(byte)
        return bytes(out)


class SessionPair:
    """A host's and a board's session. `run` moves the clock from event to event."""

    def __init__(
        self,
        *,
        to_board: Damage | None = None,
        to_host: Damage | None = None,
        latency: float = 0.001,
        baud: int = 115200,
    ) -> None:
        codec = Codec(CheckKind.CRC, 0x1234)
        self.now = 0.0
        self.host = Session(codec, baud=baud, name="host")
        self.board = Session(codec, baud=baud, board=True, name="board")
        self.host_got: list[Message] = []
        self.board_got: list[Message] = []
        self.console = b""
        self.failed: list[Failed] = []
        self.bytes = {"to_board": 0, "to_host": 0}
        self._latency = latency
        self._byte_time = 10 / baud
        self._damage = {"to_board": to_board or Damage(), "to_host": to_host or Damage()}
        self._free = {"to_board": 0.0, "to_host": 0.0}
        self._wire: list[tuple[float, int, str, bytes]] = []
        self._count = 0

    def put(self, way: str, data: bytes) -> None:
        """Send bytes over the line now."""
        self.bytes[way] += len(data)
        start = max(self.now, self._free[way])
        for at in range(0, len(data), 16):
            piece = data[at : at + 16]
            start += len(piece) * self._byte_time
            self._count += 1
            self._wire.append((start + self._latency, self._count, way, self._damage[way].apply(piece)))
        self._free[way] = start

    def settle(self) -> None:
        """Write out what the sessions want to send, and take what they report."""
        for session, way in ((self.host, "to_board"), (self.board, "to_host")):
            if data := session.data_to_send(self.now):
                self.put(way, data)
            while (event := session.next_event()) is not None:
                if isinstance(event, MessageReceived):
                    (self.host_got if session is self.host else self.board_got).append(event.message)
                elif isinstance(event, ConsoleText) and session is self.host:
                    self.console += event.data
                elif isinstance(event, Failed):
                    self.failed.append(event)

    def step(self, until: float) -> bool:
        """Go on to the next event before `until`. False when there is none."""
        self.settle()
        times = [self._wire[0][0]] if self._wire else []
        times += [d for d in (self.host.deadline(), self.board.deadline()) if d is not None]
        if not times or min(times) > until:
            self.now = until
            return False
        self.now = max(self.now, min(times))
        while self._wire and self._wire[0][0] <= self.now:
            _, _, way, data = self._wire.pop(0)
            target = self.board if way == "to_board" else self.host
            if data:
                target.receive_data(data, self.now)
        self._wire.sort()
        for session in (self.host, self.board):
            due = session.deadline()
            if due is not None and due <= self.now:
                session.handle_timeout(self.now)
        self.settle()
        return True

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self.step(until):
            pass

    def run_until(self, done: object, seconds: float) -> bool:
        """Let time pass until `done()` is true; False when it is not within so many seconds."""
        assert callable(done)
        until = self.now + seconds
        while not done():
            if self.failed or not self.step(until):
                return bool(done())
        return True
