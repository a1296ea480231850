"""Takes the secrets out of what goes over the line before anybody keeps it. No I/O, and time is given.

Bytes go in as they are written and as they arrive (`feed`), and come out in the same pieces, at the same times and in
the same order (`take`), with the bytes of secrets exchanged for others. Frames are cut, joined to messages, elided as
messages and encoded again with a check that is right, so that the trace can be replayed. What a secret is, one knows
only when its message is whole; until then its bytes are held back, and so is what came after them.

What is no frame in a session may be the rest of one: it is kept only when enough good frames went by on both sides of
it and none held a secret. Else its bytes are blanked.
"""

from __future__ import annotations

import dataclasses
import re
from collections import deque

from bridge.trace.order import Part, carries, joined
from bridge.trace.pieces import Chunk, Note, Run, Way
from bridge.trace.secrets import Known, blanked, fill, merge, reads_secret
from bridge.trace.side import Doubt, Side
from bridge.trace.words import Words
from bridge.wire.frame import WINDOW, Codec, Frame
from bridge.wire.parts import has_header

#: Longest run without NUL that can still be a frame; longer ones are text.
LONGEST_SEGMENT = 255
#: After so many seconds a session takes what came after the last NUL for a frame whose own NUL was lost.
SILENCE = 0.040
#: What came after the last NUL is held for so long, in seconds: a frame does not pause longer.
FRAME_SECONDS = 0.5
#: What may be the rest of a frame is held for so long, in seconds; then it is blanked.
DOUBT_SECONDS = 2.0
#: A message that does not become whole is held for so long, in seconds, and everything so long as it is this many
#: bytes; then it is blanked.
HELD_SECONDS, HELD_BYTES = 30.0, 1 << 18
#: After damage, text is believed only in whole lines for so long, in seconds.
BAD_SECONDS = 2.0
#: What the prompt prints this long after it was asked for a configuration may be a key, in seconds.
READING_SECONDS = 2.0
#: What is echoed may be damaged beyond recognition: blank it this long after a secret was sent, in seconds.
ECHO_SECONDS = 5.0
_LINE = re.compile(rb"[ -~\t\r\n]*\r\n")
_PLAIN = re.compile(rb"[ -~\t\r\n\b\x1b\x7f]*")


class Elider:
    """See the module. Times are seconds on one clock.

    Args:
        known: secrets known before the first byte.
    """

    def __init__(self, known: Known | None = None) -> None:
        self.known = known or Known()
        self._out: deque[Chunk | Note] = deque()
        self._held = 0
        self.codec: Codec | None = None
        """Of the session's frames, once one has begun."""
        self._words = Words(self.known)
        self._group: list[list[Part[tuple[Frame, Run]]]] = []
        self._sent, self._received = Side(Way(to_host=False)), Side(Way(to_host=True))
        self._secret_at = self._reading_until = float("-inf")

    # what the recorder calls

    def feed(self, data: bytes, now: float, *, to_host: bool) -> None:
        """Bytes were written, or arrived."""
        side = self._received if to_host else self._sent
        chunk = Chunk(now, to_host, data)
        self._out.append(chunk)
        self._held += len(data)
        if now - self._received.way.last >= SILENCE:
            self._silence(self._received, now)
        side.way.append(chunk)
        self._advance(side, now)
        if not to_host and side.way.pending:  # the host writes whole frames
            self._segment(side, side.way.take(len(side.way.pending)), now)
        if self._held > HELD_BYTES:
            self.flush(now)

    def note(self, text: str, now: float) -> None:
        """A line of the trace that is no data goes behind what was fed so far. It must hold no secret."""
        self._out.append(Note(now, text))

    def begin(self, codec: Codec, now: float) -> None:
        """A session begins, or has just begun: this is how its frames are coded."""
        self._give_up(now)
        self._no_second(self._received, now)
        self.codec = codec
        self._words = Words(self.known)
        self._group.clear()
        before = (self._sent, self._received)
        self._sent, self._received = (Side(side.way) for side in before)
        for side, old in zip((self._sent, self._received), before, strict=True):
            for doubt in old.doubts:  # the first frames may have been there before anybody told
                frame = codec.decode(doubt.run.data, to_host=side.way.to_host)
                if frame is None:
                    side.doubts.append(dataclasses.replace(doubt, index=0))
                elif carries(frame):
                    self._frame(side, frame, doubt.run, now)
                else:
                    doubt.run.settle(doubt.run.data)

    def take(self) -> list[Chunk | Note]:
        """What is ready to be kept, in order."""
        ready = []
        while self._out and not self._out[0].open:
            item = self._out.popleft()
            if isinstance(item, Chunk):
                self._held -= len(item.data)
            ready.append(item)
        return ready

    def deadline(self) -> float | None:
        """When to call `handle_timeout`, in seconds; None for never."""
        times = [self._out[0].t + HELD_SECONDS] if self._out and self._out[0].open else []
        for side in (self._sent, self._received):
            times += [doubt.since + DOUBT_SECONDS for doubt in side.doubts[:1]]
            times += [side.way.since + FRAME_SECONDS] if side.way.pending else []
            times += [side.first_at + FRAME_SECONDS] if side.first else []
        return min(times, default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        side = self._received
        if side.way.pending and now >= side.way.since + FRAME_SECONDS:
            self._silence(side, now)
            self._loose(side, side.way.take(len(side.way.pending)), now)
        if side.first is not None and now >= side.first_at + FRAME_SECONDS:
            self._no_second(side, now)
        for each in (self._sent, self._received):
            self._judge(each, now)
        if self._out and self._out[0].open and now >= self._out[0].t + HELD_SECONDS:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Let go of everything that is held, elided: the end, or it has been held too long."""
        for side in (self._sent, self._received):
            self._silence(side, now)
            self._no_second(side, now)
            self._loose(side, side.way.take(len(side.way.pending)), now)
        self._give_up(now)
        for side in (self._sent, self._received):
            for doubt in side.doubts:
                self._decide(side, doubt, now, last=True)
            side.doubts.clear()

    # cutting

    def _silence(self, side: Side, now: float) -> None:
        """Nothing has come for a while: a frame whose closing NUL was lost is whole."""
        if self._is_frame(side, side.way.pending):
            self._segment(side, side.way.take(len(side.way.pending)), now)
        side.way.silent = len(side.way.pending)

    def _is_frame(self, side: Side, data: bytearray) -> bool:
        return self.codec is not None and side.is_frame(self.codec, bytes(data))

    def _advance(self, side: Side, now: float) -> None:
        way = side.way
        if self.codec is None and not way.cut and way.to_host and way.pending:
            # No frame can have begun before the first NUL.
            at = way.pending.find(0)
            if at:
                self._text(side, way.take(at if at > 0 else len(way.pending)), now)
        while (at := way.pending.find(0)) >= 0:
            if 0 < way.silent < at and not self._is_frame(side, way.pending[:at]):
                if self._is_frame(side, way.pending[way.silent : at]):
                    # What came before the silence was something else.
                    at -= way.silent
                    self._loose(side, way.take(way.silent), now)
            if at or side.first is not None:
                self._segment(side, way.take(at), now)
            way.take(1).settle(b"\0")
            way.cut = True
        while len(way.pending) > 4 * LONGEST_SEGMENT:
            self._loose(side, way.take(LONGEST_SEGMENT), now)

    def _segment(self, side: Side, run: Run, now: float) -> None:
        """What stood between two NULs."""
        if self.codec is None:
            self._no_frame(side, run, now)
            return
        if (frame := side.completed(self.codec, run.data)) is not None:
            begun, printed = side.take_first()
            if printed.data:
                self._no_frame(side, printed, now)
            self._framed(side, frame, begun + run, now)
            return
        if not run.data:
            return
        self._no_second(side, now)
        if (frame := side.whole(self.codec, run.data)) is not None:
            self._framed(side, frame, run, now)
        elif not side.begin(run, now):
            self._no_frame(side, run, now)

    def _no_second(self, side: Side, now: float) -> None:
        """What may have been the first part of a frame is none: no second one has followed."""
        if side.first is None:
            return
        begun, rest = side.take_first()
        if has_header(begun.data):  # its payload may read as text
            self._doubt(side, begun, now)
        else:
            self._no_frame(side, begun, now)
        if rest.data:
            self._no_frame(side, rest, now)

    def _no_frame(self, side: Side, run: Run, now: float) -> None:
        if len(run.data) > LONGEST_SEGMENT:
            self._loose(side, run, now)
        elif self._believed(side, run.data, now):
            self._text(side, run, now)
        else:
            self._doubt(side, run, now)

    def _framed(self, side: Side, frame: Frame, run: Run, now: float) -> None:
        side.doubted = False
        if not side.way.to_host:
            if self._received.order.lacks(frame.ack):  # what waits here for its NUL, the host has taken as it was
                self._silence(self._received, now)
            # What the host has taken and was not seen here would be waited for in vain.
            self._blank(self._received, self._received.order.missed(frame.ack), now)
        if carries(frame):
            self._frame(side, frame, run, now)
        else:
            run.settle(run.data)

    def _loose(self, side: Side, run: Run, now: float) -> None:
        """What cannot be one frame: look at it line by line."""
        for line in run.lines():
            # What no NUL has ended is no half of a frame either.
            side.doubted = False
            if self._believed(side, line.data, now):
                self._text(side, line, now)
            else:
                self._doubt(side, line, now)

    # frames

    def _frame(self, side: Side, frame: Frame, run: Run, now: float) -> None:
        part, whole = side.order.arrived(frame, (frame, run))
        if part is None:
            # An old number with another payload: whoever sent that, it was never looked at.
            self._settle(side, (frame, run), fill(frame.payload))
        elif part.kept is not None:
            self._copies(side, part)
        for message in whole:
            self._message(side, message, now)
        if whole:
            self._judge(side, now)

    def _message(self, side: Side, message: list[Part[tuple[Frame, Run]]], now: float) -> None:
        data = joined(message)
        if any(part.torn or part.kept is not None for part in message):
            # Its beginning has been blanked, or was never seen.
            self._keep(side, message, _blank(data), now)
        elif side.way.to_host:
            self._keep(side, message, self._words.to_host(data), now)
        else:
            # Source is complete with the call that uses it; what a session says of itself may come between.
            self._group.append(message)
            if self._words.goes_on(data, began=len(self._group) > 1):
                return
            group, self._group = self._group, []
            for each, kept in zip(group, self._words.to_board([joined(each) for each in group]), strict=True):
                self._keep(side, each, kept, now)
        side.clear = max(side.clear, message[-1].index + 1)

    def _keep(self, side: Side, message: list[Part[tuple[Frame, Run]]], kept: bytes, now: float) -> None:
        at = 0
        if kept != joined(message):
            self._secret_at = now
            side.secrets.append((message[0].index, message[-1].index + 1))
        for part in message:
            if part.kept is None:
                part.kept = kept[at : at + len(part.payload)]
            at += len(part.payload)
            self._copies(side, part)

    def _copies(self, side: Side, part: Part[tuple[Frame, Run]]) -> None:
        for copy in part.copies:
            self._settle(side, copy, part.payload if part.kept is None else part.kept)
        part.copies.clear()

    def _settle(self, side: Side, copy: tuple[Frame, Run], payload: bytes) -> None:
        frame, run = copy
        if payload == frame.payload:
            run.settle(run.data)
            return
        assert self.codec is not None
        changed = sum(a != b for a, b in zip(payload, frame.payload, strict=True))
        run.settle(self.codec.seal(dataclasses.replace(frame, payload=payload), to_host=side.way.to_host), changed)

    def _give_up(self, now: float) -> None:
        """Blank what belongs to messages that are not whole."""
        for side in (self._sent, self._received):
            group = (part for each in self._group for part in each if side is self._sent)
            self._blank(side, [*side.order.open, *group], now)

    def _blank(self, side: Side, parts: list[Part[tuple[Frame, Run]]], now: float) -> None:
        for part in parts:
            if part.kept is None:
                part.kept = _blank(part.payload) if side.order.begins(part) else b"*" * len(part.payload)
                self._secret_at = now
                side.secrets.append((part.index, part.index + 1))
            self._copies(side, part)

    # what is no frame

    def _believed(self, side: Side, data: bytes, now: float) -> bool:
        """It is text for sure, and not the rest of a frame."""
        if not _is_clean(data):
            return False
        if not side.way.to_host or now > side.bad_until:
            return True
        # A byte that became NUL cuts a frame in two, of which the second may look like text, seldom like a line.
        return not side.doubted and _LINE.fullmatch(data) is not None

    def _text(self, side: Side, run: Run, now: float) -> None:
        data = run.data
        side.doubted = False
        spans = side.way.scanner.spans(data)
        for start, stop in spans:
            self.known.add(data[start:stop])
        if not side.way.to_host and reads_secret(data):
            self._reading_until = now + READING_SECONDS
        if side.way.to_host and (self._words.reading or now < self._reading_until):
            spans = [(0, len(data))]
        if spans:
            self._secret_at = now
        spans = merge([*spans, *self.known.spans(data), *self.known.near(data)])
        run.settle(blanked(data, spans), sum(stop - start for start, stop in spans))

    def _doubt(self, side: Side, run: Run, now: float) -> None:
        if side.way.to_host and self.codec is not None:
            side.bad_until = now + BAD_SECONDS
            side.doubted = True
        side.doubts.append(Doubt(run, now, side.order.expected))

    def _judge(self, side: Side, now: float) -> None:
        while side.doubts and self._decide(side, side.doubts[0], now, last=False):
            side.doubts.pop(0)

    def _decide(self, side: Side, doubt: Doubt, now: float, *, last: bool) -> bool:
        """Settle it if one can tell; True if it is settled."""
        data = doubt.run.data
        first, behind = doubt.index - WINDOW, doubt.index + WINDOW
        passed = side.clear >= behind
        if not passed and not last and now < doubt.since + DOUBT_SECONDS:
            return False
        held_secret = any(start < behind and stop > first for start, stop in side.secrets)
        echo = abs(doubt.since - self._secret_at) < ECHO_SECONDS
        # Before the first session, no frame was on the line; what the host writes then is known to nobody.
        harmless = passed if self.codec is not None else side.way.to_host
        if held_secret or echo or not harmless or self.known.near(data):
            doubt.run.settle(fill(data), len(data))
        else:
            self._text(side, doubt.run, now)
        return True


def _blank(message: bytes) -> bytes:
    """As long, of the same kind, and readable: a small number is what each byte stands for."""
    return message[:1] + b"*" * (len(message) - 1)


def _is_clean(data: bytes) -> bool:
    """Nothing but what a console shows or a keyboard sends."""
    if _PLAIN.fullmatch(data):
        return True
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\t\r\n\b\x1b\x7f" for c in text)
