"""What is known of the bytes of one direction while their secrets are looked for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bridge.trace.order import Order
from bridge.trace.pieces import Run, Way
from bridge.trace.secrets import Span
from bridge.wire.frame import PART, Codec, Frame
from bridge.wire.parts import begins_frame, joined


@dataclass
class Doubt:
    """Bytes that may be the rest of a frame."""

    run: Run
    since: float
    index: int
    """Frames that had come in order before it."""


@dataclass
class Side:
    """What is known of one direction."""

    way: Way
    order: Order[tuple[Frame, Run]] = field(default_factory=Order)
    doubts: list[Doubt] = field(default_factory=list)
    secrets: deque[Span] = field(default_factory=lambda: deque(maxlen=64))
    """Which frames held one, by their index."""
    clear: int = 0
    """Frames whose messages are whole, since the start."""
    bad_until: float = -1.0
    doubted: bool = False
    """What came last may be the beginning of a frame."""
    first: Run | None = None
    """What came last may be the first part of a frame that the board writes in two."""
    first_at: float = 0.0

    def begin(self, run: Run, now: float) -> bool:
        """True if a segment may be the first part of a frame: the next one will tell."""
        if not (self.way.to_host and begins_frame(run.data)):
            return False
        self.first, self.first_at = run, now
        return True

    def completed(self, codec: Codec, data: bytes) -> Frame | None:
        """The frame of which a segment is the second part."""
        return None if self.first is None else joined(codec, self.first.data, data)

    def whole(self, codec: Codec, data: bytes) -> Frame | None:
        """The frame that a segment is by itself."""
        return None if self.way.to_host and len(data) == PART else codec.decode(data, to_host=self.way.to_host)

    def is_frame(self, codec: Codec, data: bytes) -> bool:
        """True if a segment is a frame, or the second part of one."""
        return self.completed(codec, data) is not None or self.whole(codec, data) is not None

    def take_first(self) -> tuple[Run, Run]:
        """The first part that has waited, and what was printed behind it."""
        assert self.first is not None
        first, self.first = self.first, None
        return first.cut(PART)
