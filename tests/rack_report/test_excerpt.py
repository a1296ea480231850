from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.rack_report.excerpt import HEAD, TAIL, excerpt, shorter
from bridge.rack_report.model import Excerpt


def test_a_short_text_is_whole_and_has_the_line_ends_of_a_page() -> None:
    assert excerpt("one\r\ntwo\r\r\nthree\rfour") == Excerpt(head="one\ntwo\nthree\\x0dfour")


def test_of_a_long_line_the_beginning_and_the_end_are_kept() -> None:
    made = excerpt("a" * HEAD + "b" * 5_000_000 + "c" * TAIL)
    assert made == Excerpt(head="a" * HEAD, left_out=5_000_000, tail="c" * TAIL)


def test_a_cut_within_the_end_of_a_line_shows_none_of_it() -> None:
    text = "a" * (HEAD - 1) + "\r\n" + "b" * 9999
    assert excerpt(text).head == "a" * (HEAD - 1)
    assert excerpt("a" * (HEAD - 1) + "\r" + "b" * 9999).head == "a" * (HEAD - 1) + "\\x0d", "which is none"


def test_of_many_short_lines_few_are_kept() -> None:
    text = "".join(f"{number}\n" for number in range(300))
    made = excerpt(text)
    assert made.head.startswith("0\n1\n") and made.tail.endswith("298\n299\n")
    assert len(made.head) + made.left_out + len(made.tail) == len(text)
    assert made.head.count("\n") + made.tail.count("\n") < 50


@given(st.text(alphabet="ab\n", max_size=300), st.integers(0, 40), st.integers(1, 40))
def test_nothing_is_lost_without_being_counted(text: str, head: int, tail: int) -> None:
    made = excerpt(text, head, tail)
    assert text.startswith(made.head) and text.endswith(made.tail)
    assert len(made.head) + made.left_out + len(made.tail) == len(text)
    less = shorter(made, 5, 5)
    assert text.startswith(less.head) and text.endswith(less.tail)
    assert len(less.head) + less.left_out + len(less.tail) == len(text)
