from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.virtual.chip.slip import Decoder, encode


@given(st.lists(st.binary(min_size=1, max_size=60)), st.integers(1, 7))
def test_frames_survive_any_cutting(frames: list[bytes], step: int) -> None:
    wire = b"".join(encode(frame) for frame in frames)
    decoder = Decoder()
    found = [frame for at in range(0, len(wire), step) for frame in decoder.feed(wire[at : at + step])]
    assert found == frames


def test_special_bytes() -> None:
    assert encode(b"\xc0\xdb\xdc") == b"\xc0\xdb\xdc\xdb\xdd\xdc\xc0"


def test_noise_between_frames_is_dropped() -> None:
    assert Decoder().feed(b"boot text\r\n" + encode(b"a") + b"\0\0" + encode(b"b")) == [b"a", b"b"]


def test_a_decoder_that_comes_late_finds_the_next_frame() -> None:
    wire = encode(b"first")
    decoder = Decoder()
    assert decoder.feed(wire[3:] + encode(b"second")) == [b"second"]


def test_wrong_escape_drops_the_frame() -> None:
    assert Decoder().feed(b"\xc0a\xdbxb\xc0" + b"\xc0" + b"ok\xc0") == [b"ok"]


def test_a_frame_that_is_too_long_is_dropped() -> None:
    decoder = Decoder(limit=10)
    assert decoder.feed(encode(bytes(11)) + encode(b"b")) == [b"b"]
    assert decoder.feed(encode(bytes(10))) == [bytes(10)]
