"""User and password of a proxy."""

from __future__ import annotations

import pickle

import pytest

from bridge.errors import UsageError
from bridge.proxy.credentials import Credentials


def test_only_what_is_right_is_admitted() -> None:
    made = Credentials.read("me:hunter2:more")
    assert made.admit(b"me", b"hunter2:more")
    for user, password in [(b"me", b"hunter2"), (b"", b""), (b"ME", b"hunter2:more"), (b"me", b"hunter2:more\0")]:
        assert not made.admit(user, password)


def test_letters_beyond_ascii() -> None:
    assert Credentials("jörg", "schlüssel").admit("jörg".encode(), "schlüssel".encode())


@pytest.mark.parametrize("text", ["", "me", ":", "me:", ":x", "m" * 256 + ":x", "me:" + "x" * 256])
def test_what_is_none_is_one_sentence_without_it(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Credentials.read(text)
    assert "mmm" not in str(refused.value) and "xxx" not in str(refused.value)


def test_a_user_has_no_colon() -> None:
    with pytest.raises(UsageError):
        Credentials("a:b", "c")


def test_no_text_shows_them() -> None:
    made = Credentials("me", "hunter2")
    assert "hunter2" not in f"{made} {made!r} {vars(type(made))}"
    with pytest.raises(TypeError):
        pickle.dumps(made)
