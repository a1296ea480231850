from __future__ import annotations

import pytest

from bridge.pytest_plugin.needs import may_restart, needs_of
from bridge.rack.needs import Needs

Item = pytest.Function


def item(pytester: pytest.Pytester, *marks: str) -> Item:
    found = pytester.getitem(
        "import pytest\n" + "".join(f"@pytest.mark.board({mark})\n" for mark in marks) + "def test_func(): pass"
    )
    assert isinstance(found, pytest.Function)
    return found


def test_marks_ask_together(pytester: pytest.Pytester) -> None:
    found = item(
        pytester,
        "modules=['tls'], flash='4MB'",
        "modules='net', tags=('red', 'big'), lua='5.3', flash=100, place='shelf-1'",
    )
    assert needs_of(found) == Needs(
        frozenset({"tls", "net"}), frozenset({"red", "big"}), 4 * 1024 * 1024, "shelf-1", "5.3"
    )


def test_without_marks_any_board_will_do(pytester: pytest.Pytester) -> None:
    found = item(pytester)
    assert needs_of(found) == Needs() and not may_restart(found)


def test_a_test_says_that_its_board_may_restart(pytester: pytest.Pytester) -> None:
    assert may_restart(item(pytester, "tags=['x']", "restarts=True"))


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("'tls'", "takes names only"),
        ("modul=['tls']", "knows no modul"),
        ("modules=3", "a list of names"),
        ("flash='big'", "bytes or '4MB'"),
        ("flash=-1", "bytes or '4MB'"),
        ("flash=True", "bytes or '4MB'"),
        ("flash='²MB'", "bytes or '4MB'"),
        ("lua=5.3", "'5.1' or '5.3'"),
        ("lua='5.2'", "'5.1' or '5.3'"),
        ("place=1", "a text"),
        ("restarts='no'", "True or False"),
    ],
)
def test_what_no_mark_can_say(pytester: pytest.Pytester, mark: str, words: str) -> None:
    with pytest.raises(pytest.UsageError, match=words) as caught:
        needs_of(item(pytester, mark))
    assert "test_func" in str(caught.value)
