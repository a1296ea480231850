"""Frames: how they are delimited, kept free of NUL, checked and read back.

On the line a frame is `keys body NUL`; towards the host a NUL stands before it too, because text may come there
between frames. `body` is header, payload and check with every NUL replaced by a key, a byte that occurs in none of
them. So a frame costs the same whatever its contents are, and the board undoes it with `string.gsub`. Towards the
board CR and LF have keys of their own too: after a reset that nobody has noticed yet, a frame meets the prompt, and
what holds no line end is never run. PROTOCOL.md, "Frames", is the normative text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from bridge.errors import LocalProtocolError
from bridge.wire.check import DIRECTION_MASK, CheckKind, check

#: Sequence numbers count frames modulo this.
SEQ_COUNT = 32
#: Frames in flight at most, each way: half the sequence numbers.
WINDOW = 16
#: Header, payload and check of a frame to the board, at most: three keys among the 241 bytes that mean nothing special
#: in a Lua pattern or at the prompt are then always free, and the whole fits what its UART hands over at once.
MAX_BODY = 238
#: Payload of one frame to the board at most.
MAX_PAYLOAD = MAX_BODY - 5
#: The same to the host, where nothing limits a frame but that one of 254 keys must be free.
MAX_PAYLOAD_TO_HOST = 240
#: A longer frame to the host stands on the line in two parts, the first with so many bytes between its NULs: with
#: those around them the UART takes it without holding the board's CPU for long.
PART = 124
#: Header (2), check (3), keys (3) and closing NUL (1); towards the host there is one key, another NUL or two, and
#: perhaps a mask of two bytes.
OVERHEAD = 9

#: Seed of the check of frames that an agent of any epoch takes; no epoch is this or this xored with `DIRECTION_MASK`.
RESCUE_SEED = 0xFFFF
#: Numbers that are no epochs.
NO_EPOCHS = frozenset((RESCUE_SEED, RESCUE_SEED ^ DIRECTION_MASK))

_CHECK_SIZE = 3
#: What a frame never holds, each direction: a key stands for each.
_TO_BOARD = b"\0\n\r"
_TO_HOST = b"\0"
_MAGIC = frozenset(b"^$()%.[]*+-?")
#: Candidates for a key, the rarest in text first. None is magic in a Lua pattern, none is a line end.
_KEYS = bytes(k for k in (*range(1, 32), *range(128, 256), *range(32, 128)) if k not in _MAGIC and k not in b"\r\n")


class Kind(IntEnum):
    """What a frame carries, in the upper three bits of the byte before the payload."""

    BARE = 0
    """Only acknowledgement: there is no such byte, and no payload."""
    LAST = 1
    """The last fragment of a message."""
    MORE = 2
    """A fragment of a message that goes on in the next frame."""
    AGAIN = 3
    """To the board: the payload is the numbers of frames that are to be sent again. It has no number itself."""


_MASK = 1 << 5
_NAK = 1 << 6
_POLL = 1 << 7


@dataclass(frozen=True)
class Frame:
    """One frame, without what is only there for the line."""

    kind: Kind
    seq: int
    """0 to 31; number of this frame among those with payload."""
    ack: int
    """0 to 31; the next sequence number that the sender of this frame waits for."""
    mask: int = 0
    """To the host: bit i says that frame `ack + i` has arrived. Bit 0 is one that waits on the board."""
    nak: bool = False
    """To the host: something damaged arrived since the board's last frame."""
    poll: bool = False
    """To the board: answer at once, with the oldest frame that has not been acknowledged if there is one."""
    payload: bytes = b""

    def contents(self) -> bytes:
        """Header and payload, as the check covers them."""
        flags = (_MASK if self.mask else 0) | (_NAK if self.nak else 0) | (_POLL if self.poll else 0)
        head = bytes((self.ack | flags,)) + (self.mask.to_bytes(2, "big") if self.mask else b"")
        return head if self.kind is Kind.BARE else head + bytes((self.seq | self.kind << 5,)) + self.payload

    def __str__(self) -> str:
        name = {Kind.BARE: "ack", Kind.LAST: f"#{self.seq}", Kind.MORE: f"#{self.seq}+", Kind.AGAIN: "again"}[self.kind]
        notes = (f" mask={self.mask:b}" if self.mask else "") + " nak" * self.nak + " poll" * self.poll
        if self.kind is Kind.AGAIN:
            return f"{name} ack={self.ack}{notes} {' '.join(f'#{seq}' for seq in self.payload)}"
        data = f" {len(self.payload)} bytes" if self.payload else ""  # what is in them, the log of messages tells
        return f"{name} ack={self.ack}{notes}{data}"


def parse(contents: bytes) -> Frame | None:
    """The frame in header and payload, or None when the header is none of ours."""
    if not contents:
        return None
    first, rest = contents[0], contents[1:]
    mask = 0
    if first & _MASK:
        mask, rest = int.from_bytes(rest[:2], "big"), rest[2:]
        if not mask:
            return None
    ack, nak, poll = first & 31, bool(first & _NAK), bool(first & _POLL)
    if not rest:
        return Frame(Kind.BARE, 0, ack, mask, nak, poll)
    kind = rest[0] >> 5
    if kind not in (Kind.LAST, Kind.MORE, Kind.AGAIN) or len(rest) < 2:
        return None
    return Frame(Kind(kind), rest[0] & 31, ack, mask, nak, poll, rest[1:])


@dataclass(frozen=True)
class Codec:
    """Turns frames into bytes and back, for one epoch."""

    kind: CheckKind
    epoch: int
    """0 to 65535, none of `NO_EPOCHS`."""

    def encode(self, frame: Frame, *, to_host: bool = False) -> bytes:
        """The bytes of a frame on the line, with its NULs.

        Raises:
            LocalProtocolError: the payload is too long.
        """
        segment = self.seal(frame, to_host=to_host)
        if not to_host:
            return segment + b"\0"
        if len(segment) < PART:
            return b"\0" + segment + b"\0"
        return b"\0" + segment[:PART] + b"\0" + segment[PART:] + b"\0"

    def seal(self, frame: Frame, *, to_host: bool = False) -> bytes:
        """The bytes of a frame without its NULs: what `decode` reads.

        Raises:
            LocalProtocolError: the payload is too long.
        """
        if len(frame.payload) > (MAX_PAYLOAD_TO_HOST if to_host else MAX_PAYLOAD):
            raise LocalProtocolError(f"A frame with {len(frame.payload)} bytes of payload is too long")
        return _enclose(self.kind, frame.contents(), self._seed(to_host), _TO_HOST if to_host else _TO_BOARD)

    def decode(self, segment: bytes, *, to_host: bool = True) -> Frame | None:
        """The frame in what stood between two NULs, or None when it is damaged or no frame."""
        kept_out = _TO_HOST if to_host else _TO_BOARD
        keys = segment[: len(kept_out)]
        if not len(keys) + 1 + _CHECK_SIZE <= len(segment) <= 255:
            return None
        body = segment[len(keys) :].translate(bytes.maketrans(keys, kept_out))
        contents = body[:-_CHECK_SIZE]
        if body[-_CHECK_SIZE:] != check(self.kind, contents, self._seed(to_host)):
            return None
        return parse(contents)

    def enclose(self, contents: bytes, key: int) -> bytes:
        """Header and payload of a frame to the host as they stand between its NULs, with a given key."""
        body = contents + check(self.kind, contents, self._seed(to_host=True))
        return bytes((key,)) + body.replace(b"\0", bytes((key,)))

    def _seed(self, to_host: bool) -> int:
        return self.epoch ^ DIRECTION_MASK if to_host else self.epoch


def rescue_frame(kind: CheckKind, source: bytes) -> bytes:
    """A frame with a line of Lua that an agent of any epoch runs, with its table as the argument.

    Raises:
        LocalProtocolError: the source is too long.
    """
    if len(source) > MAX_BODY - _CHECK_SIZE:
        raise LocalProtocolError(f"A rescue frame with {len(source)} bytes of source is too long")
    return _enclose(kind, source, RESCUE_SEED, _TO_BOARD) + b"\0"


def _enclose(kind: CheckKind, contents: bytes, seed: int, kept_out: bytes) -> bytes:
    """Contents as they stand between NULs: with their check, without what must not be there."""
    body = contents + check(kind, contents, seed)
    keys = bytes(islice((key for key in _KEYS if key not in body), len(kept_out)))
    return keys + body.translate(bytes.maketrans(kept_out, keys))


class Splitter:
    """Cuts the stream of bytes at NULs. Holds at most `LIMIT` bytes."""

    #: Longer runs without NUL hold no frame; they are handed out in pieces.
    LIMIT = 1024

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def pending(self) -> bytes:
        """What came after the last NUL."""
        return bytes(self._pending)

    def feed(self, data: bytes) -> list[bytes]:
        """The segments that `data` completes, without their NULs; some are empty."""
        self._pending += data
        if b"\0" not in data and len(self._pending) <= self.LIMIT:
            return []
        *complete, rest = self._pending.split(b"\0")
        segments = [bytes(segment) for segment in complete]
        while len(rest) > self.LIMIT:
            segments.append(bytes(rest[: self.LIMIT]))
            rest = rest[self.LIMIT :]
        self._pending = bytearray(rest)
        return segments

    def flush(self) -> bytes:
        """Take what came after the last NUL."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest
