from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import UsageError
from bridge.mirror.modules.text import text_table, to_contents, to_name, to_table, to_text


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


def test_contents() -> None:
    assert [to_contents(data) for data in ("ü", b"x", bytearray(b"y"), memoryview(b"z"))] == [
        b"\xc3\xbc",
        b"x",
        b"y",
        b"z",
    ]
    for wrong in (5, None, [1]):
        with pytest.raises(UsageError, match="no contents"):
            to_contents(wrong)  # type: ignore[arg-type]


def test_settings() -> None:
    assert to_table({"a": "ü", "b": None, "c": 1}, "x") == {"a": b"\xc3\xbc", "c": 1}
    with pytest.raises(UsageError, match="x takes a dict"):
        to_table("a=1", "x")  # type: ignore[arg-type]
