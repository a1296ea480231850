"""The other end of a board's TCP connection: a TCP that behaves as Linux does towards a small board.

It acknowledges every segment at once (Linux does so on young connections), announces the window its owner gives
it, sends segments of at most 1460 bytes as the board's window allows, and repeats what is not acknowledged. What
stands behind it - a host socket, a stream of a test - is its owner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from bridge.virtual.lwip.segment import Flag, Segment, diff, seq

MSS = 1460
#: First repetition of a SYN or of data, in seconds; doubled each time.
RETRANSMIT = 1.0
MAX_RETRANSMITS = 10


class PeerState(Enum):
    """Where the peer stands."""

    CONNECTING = "the owner has not said yet whether it takes the board's SYN"
    SYN_RECEIVED = "SYN|ACK sent"
    SYN_SENT = "SYN sent to the board"
    ESTABLISHED = "open"
    CLOSED = "over"


class Owner(Protocol):
    """What stands behind a peer."""

    def window(self) -> int:
        """How many bytes it can take now."""

    def established(self) -> None:
        """The handshake is done."""

    def data(self, data: bytes) -> None:
        """Bytes from the board, never more than `window()` said."""

    def fin(self) -> None:
        """The board sends no more."""

    def reset(self) -> None:
        """The board dropped the connection, or gave up."""

    def room(self) -> None:
        """The board acknowledged something: more can be sent."""

    def closed(self) -> None:
        """Both sides are done; the peer will not be heard of again."""


class Peer:
    """One end of one connection.

    Args:
        loop: for timers.
        transmit: sends a segment to the board.
        owner: told of what the board does.
        local, remote: (address, port) of this end and of the board's.
        coalesce: join queued writes into full segments, as Linux does; False keeps the chunks given.
        nagle: hold a small segment back while something is unacknowledged.
        ack_delay: seconds that the acknowledgement of a lone segment waits for a second one, or for data to ride on:
            Linux takes 40 ms on connections that are no longer young. 0 acknowledges at once.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transmit: Callable[[Segment], None],
        owner: Owner,
        local: tuple[int, int],
        remote: tuple[int, int],
        *,
        coalesce: bool = False,
        nagle: bool = False,
        ack_delay: float = 0.0,
    ) -> None:
        self._loop = loop
        self._ack_delay = ack_delay
        self._owed: asyncio.TimerHandle | None = None
        self._transmit = transmit
        self._owner = owner
        self.local = local
        self.remote = remote
        self._coalesce = coalesce
        self._nagle = nagle
        self.state = PeerState.CONNECTING
        self._una = self._nxt = 0x1000
        self._rcv_nxt = 0
        self._board_window = 0
        self._announced = 0
        self._edge = 0
        self._pending: deque[bytearray] = deque()
        self._unacked: deque[tuple[int, Flag, bytes]] = deque()
        self._fin_wanted = self._fin_sent = self._fin_received = False
        self._timer: asyncio.TimerHandle | None = None
        self._retries = 0

    # --- what the owner asks for ---

    def open(self) -> None:
        """Connect to the board."""
        self.state = PeerState.SYN_SENT
        self._send_and_keep(Flag.SYN)

    def accept(self) -> None:
        """Take the board's SYN."""
        if self.state is PeerState.CONNECTING:
            self.state = PeerState.SYN_RECEIVED
            self._send_and_keep(Flag.SYN | Flag.ACK)

    def refuse(self) -> None:
        """Answer the board's SYN with a reset."""
        if self.state is PeerState.CONNECTING:
            self._end()
            self._send(Flag.RST | Flag.ACK, sequence=0)

    def send(self, data: bytes) -> None:
        """Queue a chunk of bytes for the board."""
        if self._coalesce and self._pending and len(self._pending[-1]) < MSS:
            self._pending[-1] += data
        elif data:
            self._pending.append(bytearray(data))
        self._push()

    def finish(self) -> None:
        """Send a FIN after everything queued."""
        self._fin_wanted = True
        self._push()

    def abort(self) -> None:
        """Send a reset and forget the connection."""
        if self.state in (PeerState.ESTABLISHED, PeerState.SYN_RECEIVED):
            self._send(Flag.RST | Flag.ACK)
        self._end()

    def vanish(self) -> None:
        """Forget the connection without a word."""
        self._end()

    def window_opened(self) -> None:
        """The owner can take more than last announced: tell the board, if it is worth a segment."""
        if self.state is PeerState.ESTABLISHED and self._window() - diff(self._edge, self._rcv_nxt) >= MSS:
            self._send(Flag.ACK)

    @property
    def opening(self) -> bool:
        """True until the handshake is done."""
        return self.state in (PeerState.CONNECTING, PeerState.SYN_RECEIVED, PeerState.SYN_SENT)

    @property
    def announced(self) -> int:
        """The window the board was last told, in bytes."""
        return self._announced

    def wants(self) -> int:
        """How many more bytes the board's window has room for."""
        queued = sum(map(len, self._pending))
        return max(0, self._board_window - diff(self._nxt, self._una) - queued)

    @property
    def queued(self) -> int:
        """Bytes accepted from the owner and not yet acknowledged by the board."""
        return sum(map(len, self._pending)) + sum(len(data) for _, _, data in self._unacked)

    # --- segments from the board ---

    def receive(self, segment: Segment) -> None:
        """Take in a segment from the board."""
        if self.state is PeerState.CLOSED:
            return
        if segment.flags & Flag.RST:
            self._end()
            self._owner.reset()
        elif segment.flags & Flag.SYN:
            self._syn(segment)
        elif self.state is not PeerState.CONNECTING:
            self._acknowledged(segment)
            if self._is_open() and (segment.length or segment.seq != self._rcv_nxt):
                self._take(segment)
            if self._is_open():
                self._push()
                self._maybe_over()

    def _is_open(self) -> bool:
        return self.state is PeerState.ESTABLISHED

    def _syn(self, segment: Segment) -> None:
        if self.state is PeerState.CONNECTING:
            self._rcv_nxt = self._edge = seq(segment.seq + 1)
            self._board_window = segment.window
        elif self.state is PeerState.SYN_RECEIVED:
            self._repeat()
        elif self.state is PeerState.SYN_SENT and segment.flags & Flag.ACK:
            self._rcv_nxt = self._edge = seq(segment.seq + 1)
            self._acknowledged(segment)
            if self._is_open():
                self._send(Flag.ACK)
                self._owner.established()
                self._push()

    def _acknowledged(self, segment: Segment) -> None:
        if not segment.flags & Flag.ACK:
            return
        opened = segment.window > self._board_window
        self._board_window = segment.window
        if diff(segment.ack, self._una) <= 0 or diff(segment.ack, self._nxt) > 0:
            if opened and self._is_open():
                self._owner.room()
            return
        self._una = segment.ack
        self._retries = 0
        while self._unacked:
            start, flags, data = self._unacked[0]
            end = seq(start + len(data) + (1 if flags & (Flag.SYN | Flag.FIN) else 0))
            if diff(end, self._una) > 0:
                break
            self._unacked.popleft()
        self._arm()
        if self.state in (PeerState.SYN_SENT, PeerState.SYN_RECEIVED):
            passive = self.state is PeerState.SYN_RECEIVED
            self.state = PeerState.ESTABLISHED
            if passive:
                self._owner.established()
        self._owner.room()

    def _take(self, segment: Segment) -> None:
        skip = diff(self._rcv_nxt, segment.seq)
        if skip < 0 or skip > segment.length:
            self._send(Flag.ACK)
            return
        data = segment.data[skip:]
        fits = data[: max(self._window(), diff(self._edge, self._rcv_nxt))]
        if fits:
            self._rcv_nxt = seq(self._rcv_nxt + len(fits))
            self._owner.data(fits)
        fin = bool(segment.flags & Flag.FIN) and len(fits) == len(data) and not self._fin_received
        if fin:
            self._rcv_nxt = seq(self._rcv_nxt + 1)
            self._fin_received = True
        if self.state is PeerState.ESTABLISHED:
            self._acknowledge(at_once=fin or skip > 0 or len(fits) < len(data))
        if fin:
            self._owner.fin()

    def _acknowledge(self, *, at_once: bool) -> None:
        if at_once or not self._ack_delay or self._owed is not None:
            self._send(Flag.ACK)
        else:
            self._owed = self._loop.call_later(self._ack_delay, self._send, Flag.ACK)

    def _pay(self) -> None:
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None

    # --- segments to the board ---

    def _push(self) -> None:
        """Send what the board's window allows, then the FIN."""
        if self.state is not PeerState.ESTABLISHED or self._fin_sent:
            return
        while self._pending:
            room = self._board_window - diff(self._nxt, self._una)
            chunk = self._pending[0]
            small = len(chunk) < MSS
            if room <= 0 or (self._nagle and small and self._unacked):
                break
            piece = bytes(chunk[: min(MSS, room)])
            del chunk[: len(piece)]
            if not chunk:
                self._pending.popleft()
            self._send_and_keep(Flag.ACK | Flag.PSH, piece)
        if self._fin_wanted and not self._pending:
            self._fin_sent = True
            self._send_and_keep(Flag.ACK | Flag.FIN)
        elif self._pending and self._timer is None:
            self._arm()

    def _send_and_keep(self, flags: Flag, data: bytes = b"") -> None:
        start = self._nxt
        self._unacked.append((start, flags, data))
        self._nxt = seq(start + len(data) + (1 if flags & (Flag.SYN | Flag.FIN) else 0))
        self._send(flags, data, start)
        self._arm()

    def _send(self, flags: Flag, data: bytes = b"", sequence: int | None = None) -> None:
        self._pay()
        # What was announced once is never taken back.
        self._announced = min(0xFFFF, max(self._window(), diff(self._edge, self._rcv_nxt), 0))
        self._edge = seq(self._rcv_nxt + self._announced)
        self._transmit(
            Segment(
                source=self.local[0],
                source_port=self.local[1],
                target=self.remote[0],
                target_port=self.remote[1],
                seq=self._nxt if sequence is None else sequence,
                ack=self._rcv_nxt if flags & Flag.ACK else 0,
                flags=flags,
                window=self._announced,
                data=data,
                mss=MSS if flags & Flag.SYN else None,
            )
        )

    def _window(self) -> int:
        return max(0, min(0xFFFF, self._owner.window()))

    # --- timer ---

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unacked or self._pending:
            self._timer = self._loop.call_later(RETRANSMIT * 2**self._retries, self._timeout)

    def _timeout(self) -> None:
        self._timer = None
        self._retries += 1
        if self._retries > MAX_RETRANSMITS:
            self._end()
            self._owner.reset()
        elif self._unacked:
            self._repeat()
        else:  # a closed window: an old sequence number makes the board say what it is now
            self._send(Flag.ACK, sequence=seq(self._nxt - 1))
            self._arm()

    def _repeat(self) -> None:
        start, flags, data = self._unacked[0]
        self._send(flags, data, start)
        self._arm()

    def _maybe_over(self) -> None:
        if self._fin_sent and self._fin_received and not self._unacked:
            self._end()
            self._owner.closed()

    def _end(self) -> None:
        self.state = PeerState.CLOSED
        self._pay()
        self._pending.clear()
        self._unacked.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
