import random

import pytest

from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.resemblance import resembles
from tests.wire.session_pair import Damage

CODEC = Codec(CheckKind.CRC, 0x1234)
SIZES = (1, 2, 5, 20, 100, 230)


def frames(size: int, count: int = 60) -> list[tuple[Frame, Frame]]:
    """Two transmissions each of frames with so many bytes of payload; what they acknowledge differs."""
    rng = random.Random(size)
    pairs = []
    for seq in range(count):
        payload = b"\2\7g" + size.to_bytes(2, "big") + rng.randbytes(size)  # a reply with one string
        first = Frame(Kind.LAST, seq % 32, rng.randrange(32), rng.choice([0, 0, 5]), payload=payload)
        pairs.append((first, Frame(Kind.LAST, seq % 32, rng.randrange(32), payload=payload)))
    return pairs


def on_the_line(frame: Frame) -> bytes:
    return CODEC.seal(frame, to_host=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_damaged_transmission_is_known_again(size: int) -> None:
    known = damaged = 0
    for number, (first, second) in enumerate(frames(size)):
        raw = on_the_line(first)
        at = number % len(raw)
        drop, flip, double = raw[:at] + raw[at + 1 :], raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :], raw[:at]
        double += raw[at : at + 1] + raw[at:]
        for segment in (drop, flip, double):
            damaged += b"\0" not in segment
            known += b"\0" not in segment and resembles(segment, second, CODEC)
    # What hits the key or the mask of a short frame is not found.
    assert known / damaged > 0.9


@pytest.mark.parametrize("size", SIZES)
def test_a_program_that_prints_the_payload_prints_no_frame(size: int) -> None:
    rng = random.Random(7)
    for _, frame in frames(size):
        data = frame.payload[5:].replace(b"\0", b"")
        for printed in (
            data, data + b"\r\n", b"got" + data, b"got " + data + b"\r\n", data + b"end", b"<" + data + b">",
            data[: len(data) // 2], data[len(data) // 2 :], rng.randbytes(size + 6).replace(b"\0", b""),
        ):  # fmt: skip
            assert not printed or not resembles(printed, frame, CODEC), (frame, printed)


def test_pieces_of_a_frame_that_was_cut_in_two_are_known_again() -> None:
    known = 0
    for number, (first, second) in enumerate(frames(100)):
        raw = on_the_line(first)
        at = 20 + number % 60
        known += resembles(raw[:at], second, CODEC)
        known += bool(first.mask) or resembles(raw[at + 1 :], second, CODEC)
    assert known == 120


def test_damage_of_several_kinds_at_once_costs_time_and_nothing_else() -> None:
    for number, (first, second) in enumerate(frames(230, 30)):
        segment = Damage(0.05, 0.05, 0.05, seed=number).apply(on_the_line(first)).replace(b"\0", b"")
        resembles(segment, second, CODEC)
    assert not resembles(b"x", frames(1)[0][0], CODEC)
