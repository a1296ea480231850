import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalProtocolError
from bridge.wire.check import CheckKind
from bridge.wire.frame import (
    MAX_PAYLOAD,
    MAX_PAYLOAD_TO_HOST,
    NO_EPOCHS,
    PART,
    Codec,
    Frame,
    Kind,
    Splitter,
    parse,
    rescue_frame,
)

CODEC = Codec(CheckKind.CRC, 0x1234)


def frames_of(to_host: bool) -> st.SearchStrategy[Frame]:
    """Frames as each side sends them."""
    common = {"ack": st.integers(0, 31)}
    if to_host:
        common |= {"mask": st.integers(0, 0xFFFF), "nak": st.booleans()}
    else:
        common |= {"poll": st.booleans()}
    bare = st.builds(Frame, st.just(Kind.BARE), st.just(0), **common)
    kinds = [Kind.LAST, Kind.MORE] + ([] if to_host else [Kind.AGAIN])
    payload = st.binary(min_size=1, max_size=MAX_PAYLOAD_TO_HOST if to_host else MAX_PAYLOAD)
    return st.one_of(bare, st.builds(Frame, st.sampled_from(kinds), st.integers(0, 31), payload=payload, **common))


frames = frames_of(False)
codecs = st.builds(Codec, st.sampled_from(list(CheckKind)), st.integers(0, 0xFFFF))


@given(codec=codecs, to_host=st.booleans(), choose=st.data())
def test_a_frame_comes_back_as_it_was(codec: Codec, to_host: bool, choose: st.DataObject) -> None:
    frame = choose.draw(frames_of(to_host))
    data = codec.encode(frame, to_host=to_host)
    assert data.startswith(b"\0") == to_host and data.endswith(b"\0") and len(data) <= (251 if to_host else 242)
    segment = codec.seal(frame, to_host=to_host)
    assert b"\0" not in segment and codec.decode(segment, to_host=to_host) == frame
    halves = [segment[:PART], segment[PART:]] if to_host and len(segment) >= PART else [segment]
    assert Splitter().feed(data) == [b""] * to_host + halves


@given(frame=frames, codec=codecs)
def test_an_echo_is_no_frame(frame: Frame, codec: Codec) -> None:
    assert codec.decode(codec.encode(frame).strip(b"\0"), to_host=True) is None


@given(
    frame=frames_of(True),
    kind=st.sampled_from(list(CheckKind)),
    one=st.integers(0, 0xFFFF),
    other=st.integers(0, 0xFFFF),
)
def test_a_frame_of_another_epoch_is_no_frame(frame: Frame, kind: CheckKind, one: int, other: int) -> None:
    data = Codec(kind, one).seal(frame, to_host=True)
    assert (Codec(kind, other).decode(data) is not None) == (one == other)


@given(frame=frames_of(True), codec=codecs, choose=st.data())
def test_a_flipped_bit_makes_no_other_frame(frame: Frame, codec: Codec, choose: st.DataObject) -> None:
    data = bytearray(codec.seal(frame, to_host=True))
    at = choose.draw(st.integers(0, len(data) - 1))
    data[at] ^= 1 << choose.draw(st.integers(0, 7))
    # A NUL would have cut the segment. A key that stands for nothing may change and mean the same.
    assert all(codec.decode(part) in (None, frame) for part in bytes(data).split(b"\0"))


@given(frame=frames)
def test_no_key_is_magic_in_a_lua_pattern(frame: Frame) -> None:
    assert not set(CODEC.encode(frame)[:3]) & set(b"^$()%.[]*+-?")


@given(frame=frames)
def test_a_prompt_never_sees_a_line_end_in_a_frame(frame: Frame) -> None:
    assert not set(CODEC.encode(frame)[:-1]) & set(b"\r\n\0")


def test_a_payload_of_every_byte_has_a_key() -> None:
    for start in range(0, 256, 7):
        payload = bytes((start + i) % 256 for i in range(MAX_PAYLOAD))
        frame = Frame(Kind.LAST, 3, 4, payload=payload)
        assert CODEC.decode(CODEC.encode(frame).strip(b"\0"), to_host=False) == frame


def test_too_long_a_payload_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="too long"):
        CODEC.encode(Frame(Kind.LAST, 0, 0, payload=bytes(MAX_PAYLOAD + 1)))
    with pytest.raises(LocalProtocolError, match="too long"):
        CODEC.encode(Frame(Kind.LAST, 0, 0, payload=bytes(MAX_PAYLOAD_TO_HOST + 1)), to_host=True)


@given(frame=frames, kind=st.sampled_from(list(CheckKind)))
def test_a_rescue_frame_is_no_frame_of_any_epoch(frame: Frame, kind: CheckKind) -> None:
    data = rescue_frame(kind, frame.contents())
    for epoch in (0, 0x1234, 0x5A5A, 0xFFFE):
        assert epoch not in NO_EPOCHS
        for to_host in (False, True):
            assert Codec(kind, epoch).decode(data[:-1], to_host=to_host) is None


def test_a_rescue_frame_holds_no_line_end_and_has_its_limit() -> None:
    data = rescue_frame(CheckKind.CRC, bytes(range(235)))
    assert not set(data[:-1]) & set(b"\0\r\n") and len(data) == 242
    with pytest.raises(LocalProtocolError, match="too long"):
        rescue_frame(CheckKind.CRC, bytes(236))


@pytest.mark.parametrize(
    "contents",
    [b"", b"\x20", b"\x20\0", b"\x20\0\0\x21a", b"\0\x60", b"\0\x01a", b"\0\x20", b"\0\xe0a"],
    ids=["empty", "no mask", "half mask", "zero mask", "nothing again", "kind 0", "no payload", "kind 7"],
)
def test_headers_that_are_none_of_ours(contents: bytes) -> None:
    assert parse(contents) is None


@given(st.lists(st.binary(max_size=40)))
def test_the_splitter_cuts_at_nuls_however_the_bytes_come(pieces: list[bytes]) -> None:
    splitter = Splitter()
    got = [segment for piece in pieces for segment in splitter.feed(piece)]
    whole = b"".join(pieces)
    *complete, rest = whole.split(b"\0")
    assert got == complete
    assert splitter.pending == rest == splitter.flush()
    assert splitter.pending == b""


def test_the_splitter_holds_only_so_much() -> None:
    splitter = Splitter()
    got = splitter.feed(b"a" * (3 * Splitter.LIMIT + 1))
    assert b"".join(got) + splitter.pending == b"a" * (3 * Splitter.LIMIT + 1)
    assert len(splitter.pending) <= Splitter.LIMIT


def test_frames_read_well_in_logs() -> None:
    assert str(Frame(Kind.MORE, 3, 4, 2, True, True, b"\1\2")) == "#3+ ack=4 mask=10 nak poll 2 bytes"
    assert str(Frame(Kind.BARE, 0, 9)) == "ack ack=9"
    assert str(Frame(Kind.AGAIN, 0, 9, payload=b"\x09\x0b")) == "again ack=9 #9 #11"
