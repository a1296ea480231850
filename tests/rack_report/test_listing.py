from __future__ import annotations

from bridge.rack_report.listing import MOST_LISTED, listing, name_of
from bridge.rack_report.model import TestReport


def tests(count: int, **more: object) -> list[TestReport]:
    base = {"outcome": "passed", "seconds": 1.0, **more}
    return [TestReport.model_validate({"nodeid": f"a.py::t{n}", "started": float(n), **base}) for n in range(count)]


tests.__test__ = False  # type: ignore[attr-defined]


def test_each_file_has_a_list_and_each_test_a_line() -> None:
    some = [*tests(2), TestReport(nodeid="b.py::x", outcome="skipped", seconds=1.0, started=3.0)]
    first, second = listing(some, {})
    assert ["".join(each.find("summary/span").itertext()) for each in (first, second)] == ["a.py", "b.py"]  # type: ignore[union-attr]
    assert [len(each.findall(".//tbody/tr")) for each in (first, second)] == [2, 1]


def test_long_lists_are_opened_by_the_reader() -> None:
    assert listing(tests(80), {})[0].get("open") and not listing(tests(81), {})[0].get("open")


def test_of_too_many_those_that_failed_are_listed() -> None:
    failed = TestReport(nodeid="a.py::bad", outcome="failed", seconds=1.0, started=0.0)
    [made] = listing([*tests(MOST_LISTED), failed], {})
    assert len(made.findall(".//tbody/tr")) == 1
    assert f"{MOST_LISTED} more passed and are not listed" in "".join(made.itertext())


def test_what_failed_leads_to_more_and_says_why() -> None:
    [made] = listing(tests(1, outcome="failed", findings=["It restarted."]), {0: "t0"})
    assert made.find(".//td/a").get("href") == "#t0"  # type: ignore[union-attr]
    assert "It restarted." in "".join(made.itertext())


def test_waiting_for_a_board_is_no_time_of_the_test() -> None:
    [made] = listing(tests(1, seconds=5.0, waited=4.5), {})
    assert made.find(".//tbody/tr").get("data-s") == "0.500"  # type: ignore[union-attr]
    assert "500 ms" in [*made.itertext()]


def test_a_name_without_end_has_one() -> None:
    assert (
        sum(len(part if isinstance(part, str) else "".join(part.itertext())) for part in name_of("x" * 9999) if part)
        == 301
    )  # type: ignore[misc]


def test_a_name_stands_behind_its_file() -> None:
    span, name = name_of("a/b.py::Class::test_x[1]")
    assert (span.text, name) == ("a/b.py::", "Class::test_x[1]")  # type: ignore[union-attr]
    assert name_of("doctest.txt") == ["doctest.txt"]
