import pytest

from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.unframed import BAD_SECONDS, PATIENCE, Unframed, reads_clean

CODEC = Codec(CheckKind.CRC, 0x1234)
ACK = Frame(Kind.BARE, 0, 3)


def data(seq: int = 0, payload: bytes = b"\x04\0\x01\x04g\0\x04data") -> Frame:
    return Frame(Kind.LAST, seq, 3, payload=payload)


def texts(unframed: Unframed) -> list[bytes]:
    found = []
    while (text := unframed.next_text()) is not None:
        found.append(text)
    return found


def came(unframed: Unframed, frame: Frame, now: float, *, early: bool = False, gap: bool = False) -> None:
    unframed.frame_came(frame, now, early=early, gap=gap, answer_seconds=0.02)


@pytest.mark.parametrize("text", [b"hello\r\n", b"x", "grün".encode(), b"\x1b[0m> "])
def test_text_is_told_at_once(text: bytes) -> None:
    unframed = Unframed(CODEC)
    assert not unframed.came(text, 1.0)
    assert texts(unframed) == [text] and unframed.deadline() is None and reads_clean(text)


@pytest.mark.parametrize(
    "printed", [b"\xff", b"\xff\xfe\x80\r\n", b"garbl\xffed print of many letters\r\n", bytes(range(1, 30))]
)
def test_what_nothing_explains_was_printed(printed: bytes) -> None:
    for frame in (data(), ACK):
        unframed = Unframed(CODEC)
        assert unframed.came(printed, 1.0) and unframed.asking
        assert texts(unframed) == []
        came(unframed, frame, 1.05)
        assert texts(unframed) == [printed]
    unframed = Unframed(CODEC)
    unframed.came(printed, 1.0)
    assert unframed.deadline() == 1.0 + PATIENCE
    unframed.settle()
    assert texts(unframed) == [printed]


def test_the_order_of_what_is_printed_is_kept() -> None:
    unframed = Unframed(CODEC)
    unframed.came(b"\xff\xfe", 1.0)
    assert not unframed.came(b"text\r\n", 1.001)
    assert texts(unframed) == []
    came(unframed, ACK, 1.1)
    assert texts(unframed) == [b"\xff\xfe", b"text\r\n"]


def test_a_bare_frame_that_was_on_its_way_already_explains_nothing() -> None:
    unframed = Unframed(CODEC)
    unframed.came(b"\xff\xfe", 1.0)
    came(unframed, ACK, 1.01)
    assert texts(unframed) == []


def test_a_damaged_frame_that_comes_again_is_no_text() -> None:
    unframed = Unframed(CODEC)
    damaged = CODEC.encode(data(), to_host=True)[1:-1].replace(b"dat", b"da")
    assert unframed.came(damaged, 1.0)
    came(unframed, data(), 1.05)
    assert texts(unframed) == [] and unframed.deadline() is None


def test_so_is_one_whose_payload_is_text() -> None:
    unframed = Unframed(CODEC)
    frame = data(payload=b"\2\1g\0\xc8" + b"<p>hello world</p>" * 10)
    damaged = CODEC.encode(frame, to_host=True)[1:-1].replace(b"world", b"worl", 1)
    assert unframed.came(damaged, 1.0)
    came(unframed, frame, 1.05)
    assert texts(unframed) == []


def test_where_a_frame_is_missing_what_does_not_read_as_text_is_damage() -> None:
    unframed = Unframed(CODEC)
    unframed.came(b"\xff\xfe", 1.0)
    came(unframed, data(2), 1.01, early=True, gap=True)
    came(unframed, data(1), 1.05)
    assert texts(unframed) == []
    # For a while the line is bad: pieces of frames are no text, whole lines are.
    assert unframed.came(b"\xff\xfe", 2.0) and unframed.came(b"abc", 2.0) and not unframed.asking
    assert not unframed.came(b"abc\r\n", 2.0)
    assert texts(unframed) == [b"abc\r\n"]
    assert unframed.came(b"\xff\xfe", 1.01 + BAD_SECONDS + 0.1)
    came(unframed, ACK, 1.01 + BAD_SECONDS + 0.2)
    assert texts(unframed) == [b"\xff\xfe"]


def test_a_gap_leaves_the_question_open() -> None:
    unframed = Unframed(CODEC)
    unframed.came(b"garbl\xffed print of many letters\r\n", 1.0)
    came(unframed, data(2), 1.01, early=True, gap=True)
    assert texts(unframed) == []
    came(unframed, data(1), 1.05)
    assert len(texts(unframed)) == 1


def test_little_is_kept() -> None:
    unframed = Unframed(CODEC)
    for number in range(1000):
        unframed.came(b"\xff%d" % number, 1.0)
        assert len(unframed._kept) <= 65
    unframed.came(b"\xff" * 5000, 1.0)
    assert not unframed._kept
    assert sum(map(len, texts(unframed))) > 8000


def test_noise_is_dropped_when_the_board_has_restarted_and_only_then() -> None:
    for restarted in (True, False):
        unframed = Unframed(CODEC)
        unframed.slower = 8.0
        assert unframed.came(b"the last words\r\n\x80\x80", 1.0)
        for _ in range(5000):
            assert unframed.came(b"\x80", 1.1)
        assert texts(unframed) == [b"the last words\r\n"]
        assert unframed.came(b"\xff\xfe\xfd", 1.2)
        unframed.settle(restarted=restarted)
        noise = [] if restarted else [b"\x80" * 5002]
        assert texts(unframed) == [*noise, b"\xff\xfe\xfd"]


def test_text_that_looks_like_noise_is_told_when_a_frame_comes() -> None:
    unframed = Unframed(CODEC)
    unframed.slower = 8.0
    assert unframed.came(b"\x80\x80\x80", 1.0)
    unframed.came(b"text\r\n", 1.1)
    came(unframed, data(), 1.2)
    assert texts(unframed) == [b"\x80\x80\x80", b"text\r\n"]
