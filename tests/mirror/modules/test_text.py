from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.mirror.modules.text import text_table, to_name, to_text


@given(st.binary())
def test_any_bytes_survive_the_way_there_and_back(name: bytes) -> None:
    assert to_name(to_text(name)) == name


def test_what_is_no_name_stays() -> None:
    assert (to_text(None), to_text(3), to_name(b"x"), to_name(None), to_name(True)) == (None, 3, b"x", None, True)
    assert to_text("Müller".encode()) == "Müller"


def test_tables() -> None:
    assert text_table({b"a": b"x", b"b": {b"c": 1, b"d": True}, 1: None}) == {
        "a": "x", "b": {"c": 1, "d": True}, 1: None
    }  # fmt: skip
    assert text_table([]) == {} == text_table(None)
