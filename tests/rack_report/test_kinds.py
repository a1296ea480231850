from __future__ import annotations

import pytest

from bridge.rack_report.kinds import GLYPHS, KINDS, NAMES, kind_of, kind_words
from bridge.rack_report.model import TestReport


def test(**more: object) -> TestReport:
    return TestReport.model_validate({"nodeid": "t", "outcome": "passed", "seconds": 1.0, "started": 0.0, **more})


test.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("outcome", "charged_to", "kind"),
    [
        ("passed", None, "passed"),
        ("xpassed", None, "passed"),
        ("failed", None, "test"),
        ("failed", "test", "test"),
        ("error", "board", "board"),
        ("again", "board", "board"),
        ("again", "test", "again"),
        ("again", "other test", "again"),
        ("skipped", None, "skipped"),
        ("xfailed", None, "skipped"),
    ],
)
def test_every_end_is_of_one_kind(outcome: str, charged_to: str | None, kind: str) -> None:
    assert kind_of(test(outcome=outcome, charged_to=charged_to)) == kind


def test_each_kind_has_a_sign_and_a_name_of_its_own() -> None:
    assert len({*GLYPHS.values()}) == len({*NAMES.values()}) == len(GLYPHS) == len(KINDS) == 5


def test_an_end_is_told_in_words() -> None:
    assert kind_words(test(outcome="failed")) == "failed, charged to the test"
    first = test(outcome="again", charged_to="board", last=False, place="shelf-1")
    assert kind_words(first) == "run again, charged to the board shelf-1"
    assert kind_words(test(outcome="again", charged_to="other test")) == "run again, charged to another test"
    assert kind_words(test(attempt=2)) == "passed at attempt 2"
