"""The session: in-order, exactly-once messages both ways over a line that damages bytes. No I/O, and time is given.

Whoever drives it feeds `receive_data(data, now)`, writes out `data_to_send(now)`, takes `next_event()` until it is
None, and calls `handle_timeout(now)` at `deadline()`. Times are seconds on one monotonic clock.
"""

from __future__ import annotations

from collections import deque

from bridge.errors import BoardReset, BridgeError, LinkTimeout, LocalProtocolError, RemoteProtocolError
from bridge.wire import messages
from bridge.wire.events import ConsoleText, Failed, MessageReceived, Opened, SessionEvent
from bridge.wire.frame import (
    MAX_BODY,
    MAX_PAYLOAD,
    MAX_PAYLOAD_TO_HOST,
    OVERHEAD,
    SEQ_COUNT,
    WINDOW,
    Codec,
    Frame,
    Kind,
    Splitter,
)
from bridge.wire.liveness import Liveness, is_text
from bridge.wire.log import MessageListener, MessageLog, log
from bridge.wire.messages import Direction, Message, Tune
from bridge.wire.parts import Parts, begins_frame
from bridge.wire.quality import LineQuality
from bridge.wire.receiver import Receiver
from bridge.wire.rtt import MIN_WAIT
from bridge.wire.sender import HURRY_DAMAGE, Outgoing, Sender
from bridge.wire.states import TRANSITIONS, State, Trigger
from bridge.wire.unframed import Unframed, reads_clean

#: Wait this long for a frame that an acknowledgement could ride on.
ACK_DELAY = 0.010
#: Acknowledge at the latest when so many frames wait for it.
ACK_EVERY = 2
#: Text at the end of what came is delivered after this much silence, and so is a frame whose last NUL was lost.
TEXT_DELAY = 0.040
#: After this much it is no frame any more: no adapter pauses longer inside one.
FRAME_DELAY = 0.150
#: Give up when one frame has not got through for so long, either way, though others do.
STUCK_SECONDS = 60.0
#: A frame is not hurried when nothing was heard for so long: then it is the board that is busy, and not the line.
HURRY_SECONDS = 0.3
#: Bytes of one frame to the host at 115 200 baud: `uart.write` holds the CPU while they leave, and 15 ms is what
#: Wi-Fi bears.
HOST_FRAME_SECONDS = 0.015


class Session:
    """One end of the link for one epoch.

    Args:
        codec: check and epoch, the same on both ends.
        baud: speed of the line, to know when bytes leave.
        board: True for the board's end (tests; the real one is the agent's Lua).
        damage: share of damaged bytes on the line to start from (what the bootstrap saw).
        name: URL of the port, for messages and logs.
    """

    def __init__(
        self, codec: Codec, *, baud: int = 115200, board: bool = False, damage: float = 0.0005, name: str = ""
    ) -> None:
        self.state = State.OPEN if board else State.OPENING
        self.sender = Sender((MAX_PAYLOAD_TO_HOST if board else MAX_PAYLOAD) + OVERHEAD, damage, ring=not board)
        self.receiver = Receiver(messages.MAX_MESSAGE if board else messages.MAX_MESSAGE_TO_HOST)
        self.inbound = LineQuality(OVERHEAD + 1, damage)
        self.damaged = 0
        """Damaged segments seen."""
        self._codec = codec
        self._board = board
        self._name = name
        self.messages: MessageListener = MessageLog(name)
        self._byte_time = 0.0
        self.set_baud(baud)
        self._incoming = Direction.TO_BOARD if board else Direction.TO_HOST
        self._splitter = Splitter()
        self._events: deque[SessionEvent] = deque()
        self._parts, self._unframed = Parts(codec, to_host=not board), Unframed(codec)
        self._line_free = 0.0
        #: When what has come without an end is looked at, in seconds; None when nothing has.
        self.text_at: float | None = None
        self._last_byte_at = 0.0
        self._liveness = Liveness()
        self._ack_owed = 0
        self._ack_at: float | None = None
        # Since when what comes may be a frame that never gets through whole.
        self._damage_since: float | None = None
        self._nak = False
        self._poll = False
        self._told = 0
        self._ask = False

    # what the driver calls

    def send(self, message: Message, now: float) -> None:
        """Queue a message.

        Raises:
            LocalProtocolError: the session is over, the message does not fit the wire, or goes the other way.
        """
        self._move(Trigger.SEND)
        if messages.OPCODES[type(message)][1].direction is self._incoming:
            raise LocalProtocolError(f"{type(message).__name__} is a message of the other side")
        data = messages.encode(message)
        self.sender.offer(data)
        self.messages.sent(message, now)

    def set_baud(self, baud: int) -> None:
        """The line has another speed now, in baud."""
        self._byte_time = 10 / baud
        self._line_free = 0.0
        self.sender.round_trip.least = MIN_WAIT + 2 * (MAX_PAYLOAD_TO_HOST + OVERHEAD) * self._byte_time

    def expect_boot_noise(self, slower: float) -> None:
        """How many times as fast as the console the line is: noise that looks so is asked about. 1 for not at all."""
        self._unframed.slower = slower

    def ask(self) -> None:
        """Ask where the other side stands now, and not when what is under way has had its time."""
        self.sender.timed_out()
        self._poll = True

    def close(self) -> None:
        """End the session; nothing is sent or reported after this."""
        self._move(Trigger.CLOSE)
        self._events.clear()

    @property
    def _over(self) -> bool:
        return self.state in (State.CLOSED, State.FAILED)

    @property
    def idle(self) -> bool:
        """The other side has taken everything."""
        return self.sender.finished

    def next_event(self) -> SessionEvent | None:
        """The next report, or None."""
        return self._events.popleft() if self._events else None

    def receive_data(self, data: bytes, now: float) -> bool:
        """Take bytes that arrived. True if something came of them: then look at `next_event` and `data_to_send`.

        Else `deadline` may be later than before, and is never sooner than before and than `text_at`.
        """
        if self._over:
            return True
        self.receiver.heard()
        segments = self._splitter.feed(data)
        for segment in segments:
            self._segments(self._parts.take(segment), now)
        if self._over:
            return True
        self._last_byte_at = now
        self.text_at = now + TEXT_DELAY if self._splitter.pending or self._parts.waiting else None
        return bool(segments)

    def data_to_send(self, now: float) -> bytes:
        """The bytes to write now, in one write; b"" when there are none."""
        if self.state is not State.OPEN:
            return b""
        self._tune(now)
        out = bytearray()
        if not self._board and (wanted := self.receiver.wanted(now)):
            out += self._write(Frame(Kind.AGAIN, 0, self.receiver.expected, poll=self._ask, payload=wanted), now)
            self.sender.sent_bare(len(out))
            self._ask = False
        while (outgoing := self.sender.next_frame() or self._hurried(now)) is not None:
            again = outgoing.tries > 0
            data = self._write(self._framed(outgoing.kind, outgoing.seq, outgoing.payload, poll=again), now)
            # The NUL that ended the frame before may have been lost; a second one costs a byte.
            out += b"\0" + data if again else data
            self.sender.sent(outgoing, len(data), self._line_free)
        due = self._ack_at is not None and now >= self._ack_at
        if not out and (self._poll or self._nak or due or self._ack_owed >= ACK_EVERY):
            out += self._write(self._framed(Kind.BARE, 0, b"", poll=self._poll), now)
            self.sender.sent_bare(len(out))
        if out and self.sender.quality.damage > 0.001:
            out += b"\0"
        if out:
            self._ack_owed, self._ack_at, self._nak, self._poll = 0, None, False, False
        return bytes(out)

    def _write(self, frame: Frame, now: float) -> bytes:
        data = self._codec.encode(frame, to_host=self._board)
        self._line_free = max(now, self._line_free) + len(data) * self._byte_time
        log.debug("%s > %.6f %s", self._name, now, frame)
        return data

    def deadline(self) -> float | None:
        """When to call `handle_timeout`, in seconds; None for never."""
        if self._over:
            return None
        times = [self.text_at]
        if self.state is State.OPEN:
            times += [self.sender.deadline(), self._ack_at, self._next_poll(), self._liveness.over_at()]
            times += [] if self._board else [self.receiver.deadline(), self._hurry_at()]
            times.append(self._unframed.deadline())
            # Where each try is answered at once, no other deadline is ever reached.
            times += [since + STUCK_SECONDS for since in self._stuck_since() if since is not None]
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at `now`; then look at `next_event`, `data_to_send` and `deadline`."""
        if self.text_at is not None and now >= self.text_at:
            self.text_at = None
            rest = self._splitter.pending
            if now >= self._last_byte_at + FRAME_DELAY:
                self._segments([*(self._parts.take(self._splitter.flush()) if rest else []), *self._parts.flush()], now)
            elif rest and (self._parts.completes(rest) or (reads_clean(rest) and not begins_frame(rest))):
                self._segments(self._parts.take(self._splitter.flush()), now)  # a frame that lost its NUL, or text
            else:
                self.text_at = self._last_byte_at + FRAME_DELAY
        if self.state is not State.OPEN:
            return
        if (due := self._liveness.over_at()) is not None and now >= due:
            self._fail(self._liveness.verdict(self._name))
            return
        if (due := self._unframed.deadline()) is not None and now >= due:
            self._unframed.settle()
            self._sorted()
        if any(since is not None and now >= since + STUCK_SECONDS for since in self._stuck_since()):
            self._fail(self._stuck())
            return
        if (due := self.sender.deadline()) is not None and now >= due:
            self._liveness.awaiting(now)
            self.sender.timed_out()
        if (due := self._next_poll()) is not None and now >= due:
            self._liveness.polled(now)
            self._poll = True

    def _stuck_since(self) -> tuple[float | None, ...]:
        return self.sender.waiting_since, self.receiver.gap_since, self._damage_since

    def _stuck(self) -> LinkTimeout:
        return LinkTimeout(
            f"A frame has not got through for {STUCK_SECONDS:g} s; the line damages about "
            f"{max(self.sender.quality.damage, self.inbound.damage):.1%} of the bytes",
            port=self._name,
            remedy="Try a shorter cable, another adapter, or a lower speed.",
        )

    # frames that arrive

    def _segments(self, segments: list[tuple[bytes, Frame | None]], now: float) -> None:
        for segment, frame in segments:
            if self._over:
                return
            if frame is not None:
                self._frame(frame, len(segment) + 2, now)
            else:
                self._no_frame(segment, now)

    def _frame(self, frame: Frame, size: int, now: float) -> None:
        log.debug("%s < %.6f %s", self._name, now, frame)
        if self.state is State.OPENING:
            self._events.append(Opened())
        self._move(Trigger.HEARD)
        self._liveness.heard(now)
        self.inbound.arrived(size)
        self.receiver.bad = self.inbound.damage >= HURRY_DAMAGE
        if not self.sender.acknowledged(frame.ack, frame.mask, frame.nak, now):
            # A check that passes by chance is rarer than a board that restarts with the same epoch; neither may harm.
            self.damaged += 1
            return
        if frame.poll:
            self.sender.polled()
            self._owe_ack(now, at_once=True)
        if frame.kind is Kind.AGAIN:
            self.sender.wanted_again(frame.payload)
        if not frame.nak and (frame.kind is Kind.BARE or frame.seq == self.receiver.expected):
            self._damage_since = None  # it got through, or none waits
        if frame.kind in (Kind.BARE, Kind.AGAIN):
            self._explain(frame, now, early=False)
            return
        wanted = frame.seq == self.receiver.expected
        early = 0 < (frame.seq - self.receiver.expected) % SEQ_COUNT < WINDOW
        duplicates = self.receiver.duplicates
        try:
            complete = self.receiver.arrived(frame, now)
            self._explain(frame, now, early=early)
            for data in complete:
                self._message(messages.decode(data, self._incoming), now)
        except RemoteProtocolError as error:
            self._fail(error)
            return
        # A gap is made known by what is asked for; only progress, or a frame that came twice, needs an answer.
        if self._board or wanted or self.receiver.duplicates > duplicates:
            self._owe_ack(now, at_once=not wanted or self.receiver.gap)

    def _explain(self, frame: Frame, now: float, *, early: bool) -> None:
        seconds = max(self.sender.round_trip.mean, 0.020)
        self._unframed.frame_came(frame, now, early=early, gap=self.receiver.gap, answer_seconds=seconds)
        self._sorted()

    def _message(self, message: Message, now: float) -> None:
        self.messages.came(message, now)
        if isinstance(message, Tune):
            self.sender.fix_payload(min(max(message.fragment, 1), MAX_PAYLOAD_TO_HOST))
        else:
            self._events.append(MessageReceived(message))

    def _owe_ack(self, now: float, *, at_once: bool) -> None:
        self._ack_owed += 1
        due = now if at_once else now + ACK_DELAY
        self._ack_at = due if self._ack_at is None else min(due, self._ack_at)

    # what arrives and is no frame

    def _no_frame(self, segment: bytes, now: float) -> None:
        if self.state is State.OPEN and not self._board and self._codec.decode(segment, to_host=False) is not None:
            # An agent echoes nothing. The prompt does, so the board has it again.
            self._fail(self._liveness.restarted(self._name))
            return
        if self.state is not State.OPEN:  # echoes of what was typed, and whatever else a bootstrap sees
            if is_text(segment):
                self._events.append(ConsoleText(segment))
            return
        if self._unframed.came(segment, now):
            self.damaged += 1
            self.inbound.lost(min(len(segment) + 2, MAX_BODY))
            log.debug("%s ! %.6f %d bytes are no frame", self._name, now, len(segment))
            if self._board:
                self._nak = True
            else:
                self.receiver.damaged()
                self._damage_since = now if self._damage_since is None else self._damage_since
                self._ask |= self._unframed.asking
                slower = self._unframed.slower
                if slower > 1 and self._liveness.doubt(segment, slower, now):
                    self._poll = True
        # What a board says when it boots may stand amid what another speed makes of the rest of it.
        if self._liveness.printed(segment, now, watching=True):
            self._poll = True
        self._sorted()

    def _sorted(self) -> None:
        """Deliver what turned out to be text."""
        while (text := self._unframed.next_text()) is not None:
            self._events.append(ConsoleText(text))

    # the rest

    def _next_poll(self) -> float | None:
        if self._board:  # only the host asks for signs of life
            return None
        return self._liveness.next_poll(outstanding=bool(self.sender.outstanding), wait=self.sender.round_trip.wait())

    def _hurry_at(self) -> float | None:
        # Both ways must look bad: a board that is slow to answer is no reason to press it.
        due = self.sender.hurry_at() if self.inbound.damage >= HURRY_DAMAGE else None
        if due is None or due > self._liveness.heard_at + HURRY_SECONDS:
            return None
        return max(due, self._line_free)

    def _hurried(self, now: float) -> Outgoing | None:
        due = None if self._board else self._hurry_at()
        return self.sender.hurry() if due is not None and now >= due else None

    def _framed(self, kind: Kind, seq: int, payload: bytes, *, poll: bool) -> Frame:
        mask = self.receiver.arrived_mask if self._board else 0
        return Frame(kind, seq, self.receiver.expected, mask, self._nak, poll and not self._board, payload)

    def _tune(self, now: float) -> None:
        """Tell the board how to send, when what it was told has become wrong."""
        if self._board or not self.inbound.seen:
            return
        best = self.inbound.best_size(MAX_PAYLOAD_TO_HOST + OVERHEAD) - OVERHEAD
        differs = abs(best - self._told) * 4 >= self._told or (best == MAX_PAYLOAD_TO_HOST and best > self._told)
        if self._told and not differs:
            return
        self._told = best
        message = Tune(best)
        self.sender.offer(messages.encode(message), first=True)
        self.messages.sent(message, now)

    def _fail(self, error: BridgeError) -> None:
        self._unframed.settle(restarted=isinstance(error, BoardReset))  # nothing else will explain it any more
        self._sorted()
        self._move(Trigger.FAULT)
        # With the text of a PANIC, which may be anything.
        told = "the board restarted" if isinstance(error, BoardReset) else error
        log.debug("%s = failed: %s", self._name, told)
        if error.port is None:
            error.port = self._name or None
        self._events.append(Failed(error))

    def _move(self, trigger: Trigger) -> None:
        after = TRANSITIONS.get((self.state, trigger))
        if after is None:
            fault = RemoteProtocolError if trigger is Trigger.HEARD else LocalProtocolError
            raise fault(f"The session is {self.state.name.lower()}: no {trigger.name.lower()}", port=self._name or None)
        if after is not self.state:
            log.debug("%s = %s", self._name, after.name.lower())
        self.state = after
