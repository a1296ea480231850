import pytest

from bridge.errors import BoardReset, LinkTimeout
from bridge.wire.liveness import KEEP_ALIVE, SILENCE_AFTER_BOOT, SILENCE_LIMIT, Liveness, is_text


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
