from __future__ import annotations

from bridge.rack_report.element import Element
from bridge.rack_report.excerpt import excerpt
from bridge.rack_report.failures import failure
from bridge.rack_report.model import TestReport


def test(**more: object) -> TestReport:
    base = {"nodeid": "a.py::t", "outcome": "failed", "seconds": 1.0, "started": 2.0, "place": "shelf-1"}
    return TestReport.model_validate({**base, **more})


test.__test__ = False  # type: ignore[attr-defined]


def card(one: TestReport, *, many: bool = False, passed_later: bool = False) -> Element:
    return failure(one, "t0", many=many, passed_later=passed_later)


def words(element: Element) -> str:
    return " ".join(element.itertext())


def test_it_says_whose_fault_it_is() -> None:
    assert "charged to the test" in words(card(test()))
    assert "charged to the board shelf-1" in words(card(test(charged_to="board")))
    assert card(test()).get("id") == "t0"


def test_it_says_what_became_of_the_test() -> None:
    assert "run again, and passed" in words(card(test(outcome="again", last=False), passed_later=True))
    assert "attempt 2" in words(card(test(attempt=2)))


def test_what_was_left_out_of_a_console_is_counted() -> None:
    made = card(test(console=excerpt("x" * 100_000)))
    assert "96\u202f000 characters left out" in words(made)
    assert made.find("details").get("open")  # type: ignore[union-attr]


def test_among_many_each_is_shorter_and_closed() -> None:
    made = card(test(console=excerpt("x" * 100_000)), many=True)
    assert "98\u202f800 characters left out" in words(made)
    assert made.find("details").get("open") is None  # type: ignore[union-attr]


def test_one_that_is_like_another_is_closed_and_whole() -> None:
    made = failure(test(console=excerpt("x" * 100_000)), "t0", many=False, passed_later=False, known=True)
    assert "96\u202f000 characters left out" in words(made)
    assert made.find("details").get("open") is None  # type: ignore[union-attr]


def test_what_only_says_the_finding_again_is_closed() -> None:
    said = excerpt("It left a timer.\nThis was found on shelf-1 after the test.")
    for findings, state in ((["It left a timer."], None), (["It left a socket."], "open")):
        made = card(test(findings=findings, message=said))
        assert made.find("details").get("open") == state  # type: ignore[union-attr]


def test_findings_without_end_have_one() -> None:
    made = words(card(test(findings=["Ω" * 100_000] * 1000)))
    assert made.count("Ω") == 8 * 600


def test_the_heap_is_told_and_drawn() -> None:
    made = card(test(heap=[(0.0, 40_000), (1.0, 38_816)], heap_before=40_000, heap_after=38_816))
    assert "free heap 40\u202f000 bytes → 38\u202f816 bytes (\u22121\u202f184)" in words(made)
    assert made.find(".//svg") is not None
    flat = card(test(heap=[(0.0, 40_000), (1.0, 40_000)], heap_before=40_000, heap_after=40_000))
    assert "bytes (0)" in words(flat) and flat.find(".//svg") is None, "there is nothing to see"
