import random

import pytest

from bridge.errors import BoardReset, LinkTimeout
from bridge.virtual.garble import Garbler
from bridge.wire.liveness import (
    KEEP_ALIVE,
    SILENCE_AFTER_BOOT,
    SILENCE_AFTER_NOISE,
    SILENCE_LIMIT,
    Liveness,
    is_text,
    reads_like_boot,
)


def test_nothing_is_awaited_at_first() -> None:
    alive = Liveness()
    assert alive.over_at() is None and alive.next_poll(outstanding=False, wait=1.0) is None


def test_an_idle_link_is_polled_and_then_given_up() -> None:
    alive = Liveness()
    alive.heard(10.0)
    assert alive.next_poll(outstanding=False, wait=0.5) == 10.0 + KEEP_ALIVE
    assert alive.next_poll(outstanding=True, wait=0.5) is None
    alive.polled(30.0)
    assert alive.next_poll(outstanding=False, wait=0.5) == 30.6
    alive.polled(30.6)
    assert alive.over_at() == 30.0 + SILENCE_LIMIT
    assert isinstance(alive.verdict("COM9"), LinkTimeout)
    alive.heard(31.0)
    assert alive.over_at() is None


@pytest.mark.parametrize(
    ("came", "at", "words"),
    [
        (b"temperature 21.5\r\n", 15.0, "for 6 s, only printed. A program that prints"),
        (b"\x80\xfe\x00\xe6\x86", 15.0, "for 6 s, and what came instead is no text. It may speak at another speed"),
        (b"temperature 21.5\r\n", 10.2, "for 6 s. It may be unplugged"),
    ],
)
def test_what_a_board_does_instead_of_answering_is_said(came: bytes, at: float, words: str) -> None:
    alive = Liveness()
    alive.heard(9.0)
    alive.awaiting(10.0)
    alive.printed(came, at, watching=True)
    error = alive.verdict("COM9")
    assert isinstance(error, LinkTimeout) and words in str(error) and "temperature" not in str(error)


def test_what_follows_boot_text_of_a_program_is_not_asked_about() -> None:
    alive = Liveness()
    alive.heard(1.0)
    assert alive.printed(b"NodeMCU 3.0.0.0 is what it runs", 2.0, watching=True)
    alive.heard(2.1)
    assert not alive.printed(b"working", 3.0, watching=True) and alive.over_at() is None
    assert alive.printed(b"\r\n ets Jan  8 2013,rst cause:4", 4.0, watching=True)
    assert alive.restarted("COM9").cause == "rst cause 4"


def test_boot_text_is_asked_about_once_and_believed_after_a_short_silence() -> None:
    alive = Liveness()
    alive.heard(1.0)
    assert not alive.printed(b"nothing special", 2.0, watching=True)
    assert not alive.printed(b"\r\n ets Jan  8 2013,rst", 2.0, watching=False)
    assert alive.printed(b" cause:4, boot mode:(3,6)", 3.0, watching=True)
    assert not alive.printed(b"NodeMCU 3.0.0.0", 3.1, watching=True)
    assert alive.over_at() == 3.0 + SILENCE_AFTER_BOOT
    error = alive.verdict("COM9")
    assert isinstance(error, BoardReset) and error.cause == "rst cause 4"


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        (b"hello\r\n", True), ("grün".encode(), True), (b"\x1b[31mred", True), (b"\x80 \x01\x02\x03", False),
        (b"a line with one \xff bad byte", True), (bytes(range(128, 160)), False), (b"", True),
    ],
)  # fmt: skip
def test_what_reads_as_text(segment: bytes, text: bool) -> None:
    assert is_text(segment) == text


def test_what_a_board_says_when_it_boots() -> None:
    assert reads_like_boot(b"...\r\nNodeMCU 3.0.0.0 built") and not reads_like_boot(b"> print(1)\r\n1\r\n> ")


@pytest.mark.parametrize(
    ("baud", "console"),
    # (At 921 600 baud the boot ROM's text is NULs and nothing else.)
    [(230_400, 74_880), (460_800, 74_880), (230_400, 115_200), (460_800, 115_200), (921_600, 115_200)],
)
def test_a_console_at_its_own_speed_is_asked_about_and_noise_is_not(baud: int, console: int) -> None:
    rng = random.Random(baud)
    text = b"\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n\r\nload 0x40100000, len 27444, room 16 \r\n" * 2
    heard = Garbler(console, baud, rng).feed(text, last=True)
    alive = Liveness()
    alive.heard(1.0)
    asked = [alive.doubt(segment, baud / 115_200, 2.0) for segment in heard.split(b"\0") if segment]
    assert asked.count(True) == 1
    assert alive.over_at() == 2.0 + SILENCE_AFTER_NOISE
    alive.heard(2.5)
    # Frames with a damaged byte, and what a program prints.
    for _ in range(200):
        assert not alive.doubt(rng.randbytes(rng.randrange(1, 250)).replace(b"\0", b"\1"), baud / 115_200, 3.0)
    assert alive.over_at() is None
