"""The sending half of a session: cuts messages into frames, keeps them until they are acknowledged, finds the lost.

A UART never reorders. So when a frame is acknowledged, every frame that left before it and is not acknowledged was
lost, and is sent again at once; only when nothing comes back at all does a timeout decide.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bridge.wire.frame import OVERHEAD, SEQ_COUNT, WINDOW, Kind
from bridge.wire.quality import LineQuality
from bridge.wire.rtt import RoundTrip

#: Bytes in flight that can never overrun the board: its ring keeps the last 256 (`RX_BUFF_SIZE`), some are left for
#: acknowledgements.
SAFE_IN_FLIGHT = 244
#: Bytes in flight at most, when the board proves quick.
MOST_IN_FLIGHT = 1024

#: Share of damaged bytes from which an idle line is used to send the oldest frame again without being asked.
HURRY_DAMAGE = 0.003


@dataclass
class Outgoing:
    """A frame with payload that has been sent and not acknowledged."""

    seq: int
    kind: Kind
    payload: bytes
    size: int = 0
    """Bytes on the line."""
    first_order: int = 0
    """Which transmission of all this one's first was."""
    last_order: int = 0
    departed: float = 0.0
    """When its last byte leaves, in seconds."""
    first_departed: float = 0.0
    """The same of its first transmission."""
    tries: int = 0
    lost: bool = False
    """To be sent again."""
    daring: bool = False
    """It left while more was in flight than the ring holds for sure."""


class Sender:
    """Queue, window and loss detection of one direction.

    Args:
        largest: bytes of one frame on the line at most.
        damage: share of damaged bytes to start from.
        ring: the other side is a board, with its small ring; else as much may be in flight as the window allows.
    """

    def __init__(self, largest: int, damage: float = 0.0005, *, ring: bool = True) -> None:
        self.quality = LineQuality(OVERHEAD + 1, damage)
        self._safe, self._dared = LineQuality(OVERHEAD, damage), LineQuality(OVERHEAD, damage)
        self.round_trip = RoundTrip()
        self.allowed = float(SAFE_IN_FLIGHT if ring else MOST_IN_FLIGHT * 2)
        """Bytes in flight allowed now."""
        self._least = self.allowed
        self._probing = ring
        self.retransmissions = 0
        self.losses = 0
        """Frames taken as lost so far."""
        self._largest = largest
        self._fixed: int | None = None
        self._queue: deque[bytes] = deque()
        self._offset = 0
        self._queued = 0
        self._window: dict[int, Outgoing] = {}  # by seq, oldest first
        self._next_seq = 0
        self._base = 0
        self._order = 0

    @property
    def queued(self) -> int:
        """Bytes of messages that no frame carries yet."""
        return self._queued

    @property
    def outstanding(self) -> int:
        """Frames that have been sent and have not arrived."""
        return len(self._window)

    @property
    def finished(self) -> bool:
        """Everything has been sent, and the other side has taken it all. What it holds back only has arrived."""
        return not self._queued and self._base == self._next_seq

    @property
    def in_flight(self) -> int:
        """Bytes on the line that are neither acknowledged nor known to be lost."""
        return sum(frame.size for frame in self._window.values() if not frame.lost)

    @property
    def waiting_since(self) -> float | None:
        """When the frame first left that has waited longest for its acknowledgement; None when none waits."""
        return min((frame.first_departed for frame in self._window.values() if frame.tries), default=None)

    def fix_payload(self, payload: int) -> None:
        """Cut frames to this payload from now on, whatever the line seems to be like (the other side decides)."""
        self._fixed = payload

    def offer(self, message: bytes, *, first: bool = False) -> None:
        """Queue the bytes of a message (at least one); `first` puts it before all that no frame carries yet."""
        if first:
            self._queue.insert(1 if self._offset else 0, message)
        else:
            self._queue.append(message)
        self._queued += len(message)

    def next_frame(self) -> Outgoing | None:
        """The frame to send now: a lost one, a new one, or None when nothing may be sent."""
        for frame in self._window.values():
            if frame.lost:
                return frame if self._room(frame.size) else None
        payload = self._payload()
        if not self._queue or (self._next_seq - self._base) % SEQ_COUNT >= WINDOW:
            return None
        message = self._queue[0]
        rest = len(message) - self._offset
        take = min(payload, rest)
        if not self._room(take + OVERHEAD):
            return None
        piece = message[self._offset : self._offset + take]
        self._queued -= take
        self._offset += take
        kind = Kind.MORE
        if self._offset >= len(message):
            kind = Kind.LAST
            self._queue.popleft()
            self._offset = 0
        frame = Outgoing(self._next_seq, kind, piece)
        self._window[frame.seq] = frame
        self._next_seq = (self._next_seq + 1) % SEQ_COUNT
        return frame

    def sent(self, frame: Outgoing, size: int, departed: float) -> None:
        """A frame from `next_frame` goes out now.

        Args:
            size: its bytes on the line.
            departed: when the last of them leaves, in seconds.
        """
        self._order += 1
        frame.daring = self.in_flight > SAFE_IN_FLIGHT
        frame.size, frame.departed, frame.last_order = size, departed, self._order
        frame.first_order = frame.first_order or self._order
        self.retransmissions += frame.tries > 0
        if not frame.tries:
            frame.first_departed = departed
        frame.tries += 1
        frame.lost = False

    def acknowledged(self, ack: int, sack: int, nak: bool, now: float) -> bool:
        """Take the acknowledgement in a frame that arrived. Returns False when it makes no sense."""
        count = (ack - self._base) % SEQ_COUNT
        if count > (self._next_seq - self._base) % SEQ_COUNT:
            return False
        arrived = [(self._base + i) % SEQ_COUNT for i in range(count)]
        arrived += [(ack + i) % SEQ_COUNT for i in range(WINDOW) if sack >> i & 1]
        self._base = ack
        latest = 0
        for seq in arrived:
            frame = self._window.pop(seq, None)
            if frame is None:
                continue
            # The first transmission is the one we can be sure of: a later one may still be on its way.
            latest = max(latest, frame.first_order)
            self.quality.arrived(frame.size)
            (self._dared if frame.daring else self._safe).arrived(frame.size)
            self._grow(frame.size)
            if frame.tries == 1:
                self.round_trip.sample(now - frame.departed)
            self.round_trip.heard()
        waiting = [frame for frame in self._window.values() if not frame.lost]
        lost = [frame for frame in waiting if frame.last_order < latest]
        if nak and not lost and waiting:
            # What was damaged is the oldest still under way: those before it would be acknowledged here.
            lost = [min(waiting, key=lambda frame: frame.last_order)]
        for frame in lost:
            self._mark_lost(frame)
        return True

    def wanted_again(self, numbers: bytes) -> None:
        """The other side asks for frames again."""
        for seq in numbers:
            frame = self._window.get(seq)
            if frame is not None and not frame.lost:
                self._mark_lost(frame)

    def polled(self) -> None:
        """The other side may have missed the oldest frame."""
        oldest = next(iter(self._window.values()), None)
        if oldest is not None and not oldest.lost:
            self._mark_lost(oldest)

    def deadline(self) -> float | None:
        """When to give up waiting for an acknowledgement, in seconds; None when none is awaited."""
        waiting = [frame.departed for frame in self._window.values() if not frame.lost]
        return min(waiting) + self.round_trip.wait() if waiting else None

    def hurry_at(self) -> float | None:
        """When the oldest frame is worth sending again though nobody says it was lost; None when it is not.

        On a line that damages much, what holds the window back is nearly always that one, and the line is idle. Each
        time a little later: answers that queue up somewhere must not make it fill the line with copies.
        """
        if self.quality.damage < HURRY_DAMAGE or not self._window:
            return None
        oldest = next(iter(self._window.values()))
        return None if oldest.lost else oldest.departed + 0.7 * self.round_trip.mean * oldest.tries

    def hurry(self) -> Outgoing | None:
        """The oldest frame, to be sent once more."""
        return next(iter(self._window.values()), None)

    def timed_out(self) -> None:
        """The deadline has passed: the oldest frame under way is taken as lost.

        Only that one: the answer to it tells which of the later ones arrived.
        """
        waiting = [frame for frame in self._window.values() if not frame.lost]
        if waiting:
            self._mark_lost(min(waiting, key=lambda frame: frame.last_order))
            self.round_trip.timed_out()

    def _mark_lost(self, frame: Outgoing) -> None:
        frame.lost = True
        self.losses += 1
        self.quality.lost(frame.size)
        (self._dared if frame.daring else self._safe).lost(frame.size)
        # A bad line damages what it damages; only if frames sent daringly fare worse does the ring overflow.
        if frame.daring and self._dared.damage > 1.5 * self._safe.damage + 0.0002:
            self.allowed = max(self._least, self.allowed * 0.8)
            self._probing = False

    def _grow(self, size: int) -> None:
        """Allow more in flight: twice as much each round trip until the first loss, then little by little."""
        step = size if self._probing else 16 * size / self.allowed
        self.allowed = min(self.allowed + step, max(MOST_IN_FLIGHT, self._least))

    def _payload(self) -> int:
        if self._fixed is not None:
            return self._fixed
        return self.quality.best_size(self._largest) - OVERHEAD

    def _room(self, size: int) -> bool:
        in_flight = self.in_flight
        return not in_flight or in_flight + size <= self.allowed
