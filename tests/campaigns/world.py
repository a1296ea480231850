"""The real host session and a board, joined by a line that does what lines do, on a clock of its own.

The board is either the Python session (`PythonBoard`) or the real agent's Lua (`LuaBoard`, tests/agent/fake_board.py).
Both sit behind the UART's ring: while the board is busy, what arrives waits there, and the oldest goes first.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.errors import BridgeError
from bridge.wire.check import CheckKind
from bridge.wire.events import ConsoleText, Failed, MessageReceived
from bridge.wire.frame import Codec
from bridge.wire.messages import Message
from bridge.wire.session import Session
from tests.agent.fake_board import FakeBoard

RING = 256
#: Seconds for which the line stands still, and for which the board is busy, each time.
STALL, BUSY = (0.005, 0.050), (0.002, 0.060)
#: Bytes that travel together: what an adapter or a driver hands over at once.
PIECE = 16


@dataclass(frozen=True)
class Mix:
    """What happens to bytes; shares of bytes."""

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    busy: float = 0.0
    """To the board only: the board becomes busy when such a byte arrives."""


class Line:
    """One direction."""

    def __init__(self, mix: Mix, rng: random.Random, latency: float, byte_time: float) -> None:
        self.bytes = 0
        self._shares = {k: s for k in ("drop", "flip", "duplicate", "delay") if (s := getattr(mix, k))}
        self._rng = rng
        self._gap = {kind: self._draw(share) for kind, share in self._shares.items()}
        self._latency, self._byte_time = latency, byte_time
        self._free = 0.0
        self._pieces: deque[tuple[float, bytes]] = deque()

    def _draw(self, share: float) -> int:
        return int(math.log(1.0 - self._rng.random()) / math.log1p(-share))

    def put(self, data: bytes, now: float) -> None:
        """Bytes leave from now on, as fast as the line takes them."""
        self.bytes += len(data)
        self._free = max(self._free, now)
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            self._free += len(piece) * self._byte_time
            piece = self._damaged(piece)
            self._pieces.append((self._free + self._latency, piece))

    def _damaged(self, piece: bytes) -> bytes:
        for kind in self._shares:
            while self._gap[kind] < len(piece):
                at = self._gap[kind]
                if kind == "delay":
                    self._free += self._rng.uniform(*STALL)
                    self._gap[kind] += 1 + self._draw(self._shares[kind])
                    continue
                new = {"drop": b"", "duplicate": piece[at : at + 1] * 2}.get(kind)
                if new is None:
                    new = bytes((piece[at] ^ 1 << self._rng.randrange(8),))
                piece = piece[:at] + new + piece[at + 1 :]
                self._gap[kind] = at + len(new) + self._draw(self._shares[kind])
            self._gap[kind] -= len(piece)
        return piece

    def next_at(self) -> float:
        """When the next bytes arrive; infinity for never."""
        return self._pieces[0][0] if self._pieces else math.inf

    def arrived(self, now: float) -> Iterator[bytes]:
        """The pieces that have arrived by now."""
        while self._pieces and self._pieces[0][0] <= now:
            if piece := self._pieces.popleft()[1]:
                yield piece


class BoardEnd(Protocol):
    """What the world needs of a board."""

    busy_until: float

    def feed(self, data: bytes, now: float) -> None: ...
    def output(self, now: float) -> list[tuple[float, bytes]]: ...
    def deadline(self) -> float: ...
    def step(self, now: float) -> None: ...


class PythonBoard:
    """The board's end by the Python session. `answer` is called with each message and the time."""

    def __init__(self, codec: Codec, damage: float = 0.0005) -> None:
        self.session = Session(codec, board=True, name="board", damage=damage)
        self.got: list[Message] = []
        self.answer: Callable[[Message, float], None] = lambda message, now: None
        self.failed: list[BridgeError] = []
        self.busy_until = 0.0
        self._ring = b""

    def feed(self, data: bytes, now: float) -> None:
        self._ring = (self._ring + data)[-RING:]

    def step(self, now: float) -> None:
        if now < self.busy_until:
            return
        data, self._ring = self._ring, b""
        if data:
            self.session.receive_data(data, now)
        if (due := self.session.deadline()) is not None and due <= now:
            self.session.handle_timeout(now)
        while (event := self.session.next_event()) is not None:
            if isinstance(event, MessageReceived):
                self.got.append(event.message)
                self.answer(event.message, now)
            elif isinstance(event, Failed):
                self.failed.append(event.error)

    def output(self, now: float) -> list[tuple[float, bytes]]:
        data = b"" if now < self.busy_until else self.session.data_to_send(now)
        return [(now, data)] if data else []

    def deadline(self) -> float:
        due = self.session.deadline()
        due = math.inf if due is None else due
        return max(self.busy_until, 0.0 if self._ring else due)


class QuickFakeBoard(FakeBoard):
    """The tiny firmware, made for many bytes, and with a CPU that can be busy for other reasons than writing."""

    stalled_until = 0.0

    @property
    def busy_until(self) -> float:
        return max(self._free - 126 * self.byte_time, self.stalled_until)

    def run_tasks(self) -> None:
        while self.now >= self.busy_until - 1e-9 and (self._ring or self._tasks):
            while self._ring:
                end = self._ring.find(b"\0") + 1 or len(self._ring)
                end = min(end, RING - len(self._line)) if self.raw is not None else end
                self._line, self._ring = self._line + self._ring[:end], self._ring[end:]
                if self.raw is not None and (self._line.endswith(b"\0") or len(self._line) >= RING):
                    line, self._line = self._line, b""
                    self._protect(self.raw, line)
            if self._tasks:
                self._protect(self._tasks.pop(0), 1)


class LuaBoard:
    """The board's end by the agent's Lua."""

    def __init__(self, codec: Codec, version: str, *, fragment: int = 100) -> None:
        self.firmware = QuickFakeBoard(version, ow=codec.kind is CheckKind.CRC)
        self.agent = self.firmware.load(codec, fragment)

    @property
    def busy_until(self) -> float:
        return self.firmware.stalled_until

    @busy_until.setter
    def busy_until(self, value: float) -> None:
        self.firmware.stalled_until = value

    def feed(self, data: bytes, now: float) -> None:
        self.firmware.now = now
        self.firmware.feed(data)

    def step(self, now: float) -> None:
        self.firmware.step(now)

    def output(self, now: float) -> list[tuple[float, bytes]]:
        out = [(when - len(data) * self.firmware.byte_time, data) for when, data in self.firmware.out]
        self.firmware.out.clear()
        return out

    def deadline(self) -> float:
        due = self.firmware.deadline()
        return math.inf if due is None else due


class World:
    """The host's session, a board, and a line each way."""

    def __init__(
        self,
        board: BoardEnd,
        codec: Codec,
        *,
        to_board: Mix = Mix(),
        to_host: Mix = Mix(),
        seed: int = 0,
        latency: float = 0.001,
        damage: float = 0.0005,
        baud: int = 115200,
    ) -> None:
        rng = random.Random(seed)
        self.now = 0.0
        self.board = board
        self.host = Session(codec, baud=baud, damage=damage, name="campaign")
        self.to_board = Line(to_board, random.Random(rng.random()), latency, 10 / baud)
        self.to_host = Line(to_host, random.Random(rng.random()), latency, 10 / baud)
        self.got: list[Any] = []
        self.console = b""
        self.failed: list[BridgeError] = []
        self._busy = to_board.busy
        self._rng = random.Random(rng.random())

    def send(self, message: Message) -> None:
        """The host sends."""
        self.host.send(message, self.now)

    def print(self, text: bytes) -> None:
        """The board prints, between its frames."""
        self.settle()
        self.to_host.put(text, self.now)

    def progress(self) -> tuple[int, ...]:
        """Differs from what it was when a frame has got through for the first time, either way."""
        sender, receiver = self.host.sender, self.host.receiver
        return len(self.got), sender.queued, sender.outstanding, receiver.expected, receiver.arrived_mask

    def settle(self) -> None:
        """Take what both ends have to say now."""
        for when, data in self.board.output(self.now):
            self.to_host.put(data, when)
        if data := self.host.data_to_send(self.now):
            self.to_board.put(data, self.now)
        while (event := self.host.next_event()) is not None:
            if isinstance(event, MessageReceived):
                self.got.append(event.message)
            elif isinstance(event, ConsoleText):
                self.console += event.data
            elif isinstance(event, Failed):
                self.failed.append(event.error)

    def step(self, until: float) -> bool:
        """Go on to what happens next before `until`; False when nothing does."""
        self.settle()
        if self.failed:
            return False
        due = self.host.deadline()
        at = min(
            self.to_board.next_at(), self.to_host.next_at(), self.board.deadline(), math.inf if due is None else due
        )
        if at > until:
            self.now = until
            return False
        self.now = max(self.now, at)
        for piece in self.to_board.arrived(self.now):
            if self._busy and self._rng.random() < 1 - (1 - self._busy) ** len(piece):
                self.board.busy_until = max(self.board.busy_until, self.now + self._rng.uniform(*BUSY))
            self.board.feed(piece, self.now)
        self.board.step(self.now)
        for piece in self.to_host.arrived(self.now):
            self.host.receive_data(piece, self.now)
        if due is not None and due <= self.now:
            self.host.handle_timeout(self.now)
        return True

    def run_until(self, done: Callable[[], object], seconds: float) -> bool:
        """Let time pass until `done()`, the end of the session, or so many seconds."""
        until = self.now + seconds
        while not done():
            if self.failed or not self.step(until):
                self.settle()
                return bool(done())
        return True
