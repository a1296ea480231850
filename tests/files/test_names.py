from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import UsageError
from bridge.files.names import LONGEST, check_name, scratch_for, scratch_tag, shown

#: Every name that the board's file system can have a file of, but for those that uploads use.
NAMES = st.binary(min_size=1, max_size=LONGEST).filter(lambda raw: b"\0" not in raw and raw[:1] != b"/")


@given(NAMES)
def test_a_name_goes_to_the_board_byte_by_byte(raw: bytes) -> None:
    assert check_name(raw.decode("utf-8", "surrogateescape")) == raw


@given(NAMES)
def test_what_an_upload_uses_are_names_of_its_own(raw: bytes) -> None:
    scratch = scratch_for(raw)
    for name in (scratch.part, scratch.done, scratch.name):
        assert len(name) <= LONGEST and check_name(name, scratch=True).decode() == name
        assert scratch_tag(name.encode()) == scratch.tag
        with pytest.raises(UsageError, match="uploads use"):
            check_name(name)
    assert len({scratch.part, scratch.done, scratch.name}) == 3 and scratch_tag(raw) is None


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_one_sentence(name: str) -> None:
    try:
        raw = check_name(name)
    except UsageError as error:
        assert error.remedy and "\n" not in str(error)
    except UnicodeEncodeError:
        # Half a surrogate pair that stands for no byte.
        raise AssertionError(repr(name)) from None
    else:
        assert 1 <= len(raw) <= LONGEST


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "needs a name"),
        ("x" * 32, "32 bytes"),
        ("ü" * 16, "32 bytes"),
        ("a\0b", "NUL"),
        ("/FLASH/a", "another drive"),
        ("nodemcu-bridge.0123abcd.done", "uploads use"),
        (b"bytes", "no name"),
        ("\ud800", "no text"),
    ],
)
def test_names_that_cannot_be(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_name(name)


def test_names_for_people() -> None:
    assert [shown(name) for name in ("a b", "ü", "\udcff", "a\nb\x1b[2J", "")] == [
        "a b", "ü", "\\xff", "a\\nb\\x1b[2J", "''"
    ]  # fmt: skip


def test_other_names_that_begin_so() -> None:
    for name in (b"nodemcu-bridge.tmp", b"nodemcu-bridge.0123abcd.old", b"nodemcu-bridge.0123ABCD.done", b"x"):
        assert scratch_tag(name) is None
