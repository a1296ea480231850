"""The sending half of a session: cuts messages into frames, keeps them until they are acknowledged, finds the lost.

A UART never reorders. So when a frame is acknowledged, every frame that left before it and is not acknowledged was
lost, and is sent again at once; only when nothing comes back at all does a timeout decide.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bridge.wire.allowance import Allowance
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
#: So many lost frames that cannot have overrun the ring show that it is the line.
_PROOF = 4


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
    behind: bool = False
    """It left while the end of a message before it was not acknowledged: the board may still have been at that call."""
    crowd: int = 0
    """Most bytes in flight together with it. Where that is more than the ring holds for sure, it may be lost by that:
    the ring loses its oldest bytes, so it is the frames before the excess that are lost."""

    @property
    def crowded(self) -> bool:
        """More was in flight with it than the ring holds for sure."""
        return self.crowd > SAFE_IN_FLIGHT


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
        least = SAFE_IN_FLIGHT if ring else MOST_IN_FLIGHT * 2
        self.allowed = Allowance(least, MOST_IN_FLIGHT)
        """Bytes in flight allowed now."""
        self.behind = Allowance(least, MOST_IN_FLIGHT)
        """The same behind the end of a message, for which the board is busy longer."""
        self._ring = ring
        # Sizes of frames whose loss was put down to the ring.
        self._blamed: deque[int] = deque(maxlen=16)
        # Frames lost since the first of them that cannot have overrun it.
        self._innocent = 0
        # Bytes of frames without payload since something was heard; they are in the ring as well.
        self._bare = 0
        self.retransmissions = 0
        self.losses = 0
        """Frames taken as lost so far."""
        self.damaged = 0
        """Those of them that the line lost, as far as that can be told."""
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
        frame.size, frame.departed, frame.last_order = size, departed, self._order
        frame.behind = self._behind() > 0
        frame.first_order = frame.first_order or self._order
        self.retransmissions += frame.tries > 0
        if not frame.tries:
            frame.first_departed = departed
        frame.tries += 1
        frame.lost = False
        frame.crowd = 0
        self._crowd()

    def sent_bare(self, size: int) -> None:
        """A frame without payload of so many bytes goes out now."""
        self._bare += size
        self._crowd()

    def _crowd(self) -> None:
        in_flight = self.in_flight + self._bare
        for frame in self._window.values():
            if frame.tries and not frame.lost:
                frame.crowd = max(frame.crowd, in_flight)

    def acknowledged(self, ack: int, sack: int, nak: bool, now: float) -> bool:
        """Take the acknowledgement in a frame that arrived. Returns False when it makes no sense."""
        self._bare = 0
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
            (self._dared if frame.crowded else self._safe).arrived(frame.size)
            (self.behind if frame.behind else self.allowed).arrived(frame.size)
            if frame.tries == 1:
                self.round_trip.sample(now - frame.departed)
            elif self.quality.damage >= HURRY_DAMAGE:
                # On a good line it may be that each answer comes later than it is waited for: then only a longer wait
                # ever brings a sample.
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

        Only that one: the answer to it tells which of the later ones arrived. And it says nothing of the line or the
        ring: the board may only be slow to answer.
        """
        waiting = [frame for frame in self._window.values() if not frame.lost]
        if waiting:
            min(waiting, key=lambda frame: frame.last_order).lost = True
            self.losses += 1
            self.round_trip.timed_out()

    def _mark_lost(self, frame: Outgoing) -> None:
        frame.lost = True
        self.losses += 1
        (self._dared if frame.crowded else self._safe).lost(frame.size)
        if frame.crowded and self._overruns:
            self._blamed.append(frame.size)
            allowance = self.behind if frame.behind else self.allowed
            allowance.overran(frame.size, frame.crowd, frame.last_order, self._order)
            return
        self.damaged += 1
        self.quality.lost(frame.size)
        if not frame.crowded and self._blamed:
            self._innocent += 1
            if self._innocent >= _PROOF and not self._overruns:
                # Frames that cannot have overrun the ring are lost as well: it is the line.
                self._innocent = 0
                while self._blamed:
                    self.quality.lost(self._blamed.pop())
                self.allowed.forgive()
                self.behind.forgive()

    @property
    def _overruns(self) -> bool:
        """The ring overflows: a bad line damages what it damages, and yet the frames sent daringly fare worse."""
        return self._ring and self._dared.damage > 1.5 * self._safe.damage + 0.0002

    def _payload(self) -> int:
        if self._fixed is not None:
            return self._fixed
        return self.quality.best_size(self._largest) - OVERHEAD

    def _behind(self) -> int:
        """Bytes in flight that left after the end of a message that is not acknowledged."""
        under_way = [frame for frame in self._window.values() if frame.tries and not frame.lost]
        ends = [frame.last_order for frame in under_way if frame.kind is Kind.LAST]
        return sum(frame.size for frame in under_way if frame.last_order > min(ends)) if ends else 0

    def _room(self, size: int) -> bool:
        in_flight = self.in_flight
        if not in_flight:
            return True
        in_flight += self._bare
        return in_flight + size <= self.allowed.bytes and self._behind() + size <= self.behind.bytes
