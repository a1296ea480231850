from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.rack_report.visible import visible


def test_control_characters_are_written_out_and_lines_stay() -> None:
    assert visible("a\x00\x1b[31m\x7f\x9b\tb\nc") == "a\\x00\\x1b[31m\\x7f\\x9b\tb\nc"


def test_what_turns_or_hides_text_is_written_out() -> None:
    assert visible("test_\u202ereversed\u200b\ufeff\U000e0041") == "test_\\u202ereversed\\u200b\\ufeff\\U000e0041"


def test_bytes_that_are_no_text_are_told() -> None:
    assert visible(b"caf\xe9".decode(errors="surrogateescape")) == "caf\\xe9"
    assert visible("\ud834") == "\\ud834"


@given(st.text(alphabet=st.characters(), max_size=50))
def test_a_visible_text_can_be_written_to_a_file_and_read_as_it_is(text: str) -> None:
    shown = visible(text)
    assert shown.encode().decode() == shown and visible(shown) == shown
    assert all(char in "\t\n" or ord(char) >= 0x20 for char in shown)
