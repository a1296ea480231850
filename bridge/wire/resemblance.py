"""Whether bytes that are no frame are an earlier transmission of a frame that has come since, damaged on its way.

Transmissions of one frame differ in their key, their acknowledgement and so their check. What a program prints may well
be the payload, with something before and behind; it is no frame as long as header and check do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from bridge.wire.frame import Codec, Frame

#: Bytes that damage may have changed. More do not match where a program prints the payload and something beside it.
_FEW = 3
#: A frame so short is compared with all headers that it may have had: damage hits the header itself too often.
_SHORT = 40
#: A piece of a frame, cut off by a byte that became NUL, must be so long to be known again.
_PIECE = 12


_HEADS = [bytes((head,)) for head in range(128) if not head & 32]


def resembles(segment: bytes, frame: Frame, codec: Codec) -> bool:
    """True if a segment is such a transmission of a frame to the host, or a piece of one."""
    rest = bytes((frame.seq | frame.kind << 5,)) + frame.payload
    if len(segment) > len(rest) + 12 or not _in_common(segment, rest):
        return False
    heads = list(_heads_in(segment))
    if len(segment) < _SHORT:
        heads += _HEADS
    for head in heads:
        original = codec.enclose(head + rest, segment[0])
        if _near(segment, original, _FEW if len(segment) > _PIECE else 2):
            return True
        if _PIECE <= len(segment) < len(original) - _FEW and _near(segment, original[: len(segment)], 2):
            return True
    if not _PIECE <= len(segment) < len(rest) + 4:
        return False
    # The end of a frame: its header is not there, so each is tried that has no mask.
    key = next((byte for byte in segment if byte not in rest), segment[0])
    ends = (codec.enclose(head + rest, key)[-len(segment) :] for head in _HEADS)
    # Whoever prints the end of the payload and three bytes more does not print its check.
    return any(segment[-3:] == end[-3:] and _near(segment, end, 2) for end in ends)


def _heads_in(segment: bytes) -> Iterator[bytes]:
    """The first bytes of header that a segment may have, before or behind a byte that was lost or doubled."""
    plain = segment[:5].replace(segment[:1], b"\0")
    for at in (1, 0, 2):
        head = plain[at : at + 1]
        if head:
            yield plain[at : at + 3] if head[0] & 32 else head


def _in_common(segment: bytes, rest: bytes) -> bool:
    """A quick look: is a good part of the payload there?"""
    match = SequenceMatcher(None, segment, rest, autojunk=False).find_longest_match()
    return match.size >= min(len(segment), len(rest)) // 4


def _near(one: bytes, other: bytes, few: int) -> bool:
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return max(len(one), len(other)) - sum(block.size for block in blocks) <= few
