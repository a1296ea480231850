"""All tests, by file: a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bridge.rack_report.element import Child, Element, el
from bridge.rack_report.heap_curve import change, heap_curve
from bridge.rack_report.kinds import GLYPHS, KINDS, kind_of, kind_words
from bridge.rack_report.model import TestReport
from bridge.rack_report.reason import reason
from bridge.rack_report.verdict import duration

#: Tests that are listed; of more, those that passed are counted and not listed.
MOST_LISTED = 5000
#: With more than this a file's tests are shown on a click.
_FEW = 80
_LONGEST_NAME, _LONGEST_REASON = 300, 160


def listing(tests: Sequence[TestReport], links: Mapping[int, str]) -> list[Element]:
    """A list for each file."""
    listed = {number for number, test in enumerate(tests) if len(tests) <= MOST_LISTED or kind_of(test) != "passed"}
    files: dict[str, list[int]] = {}
    for number, test in enumerate(tests):
        files.setdefault(test.nodeid.partition("::")[0], []).append(number)
    slowest = max((busy(test) for test in tests), default=0.0) or 1.0
    return [_file(name, numbers, tests, listed, links, slowest) for name, numbers in files.items()]


def name_of(nodeid: str) -> list[Child]:
    """A test's name with its file in front, which is for finding it and not for reading."""
    if len(nodeid) > _LONGEST_NAME:
        nodeid = f"{nodeid[:_LONGEST_NAME]}…"
    file, colons, name = nodeid.partition("::")
    return [el("span", f"{file}{colons}", class_="file"), name] if name else [nodeid]


def busy(test: TestReport) -> float:
    """How long it took, in seconds, without waiting for a board."""
    return max(0.0, test.seconds - test.waited)


def _file(
    name: str,
    numbers: list[int],
    tests: Sequence[TestReport],
    listed: set[int],
    links: Mapping[int, str],
    slowest: float,
) -> Element:
    shown = [number for number in numbers if number in listed]
    counts = Counter(kind_of(tests[number]) for number in numbers)
    signs = [
        el("span", el("span", GLYPHS[kind], class_=f"sign is-{kind}"), str(counts[kind]), class_="count")
        for kind in KINDS
        if counts[kind]
    ]
    total = duration(sum(busy(tests[number]) for number in numbers))
    head = el("summary", el("span", name, class_="name"), *signs, el("span", total, class_="busy"))
    rows = [_row(tests[number], links.get(number), slowest) for number in shown]
    titles = ("", "test", "board", "time", "heap")
    table = el(
        "table",
        el("thead", el("tr", *(el("th", title, scope="col") for title in titles))),
        el("tbody", *rows),
    )
    left_out = len(numbers) - len(shown)
    note = el("p", f"{left_out} more passed and are not listed", class_="note") if left_out else None
    return el(
        "details", head, table if rows else None, note, class_="tests", open="open" if len(tests) <= _FEW else None
    )


def _row(test: TestReport, link: str | None, slowest: float) -> Element:
    kind = kind_of(test)
    name = test.nodeid.partition("::")[2] or test.nodeid
    name = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    said = "" if kind == "passed" else reason(test, _LONGEST_REASON)
    width = 100 * busy(test) / slowest
    return el(
        "tr",
        el("td", el("span", GLYPHS[kind], class_=f"sign is-{kind}", title=kind_words(test))),
        el(
            "td",
            el("a", name, href=f"#{link}") if link else name,
            el("span", said, class_="said") if said else None,
            el("span", f"attempt {test.attempt}", class_="again") if test.attempt > 1 or not test.last else None,
        ),
        el("td", test.place or ""),
        el("td", el("i", style=f"width:{width:.1f}%"), el("span", duration(busy(test))), class_="time"),
        el("td", heap_curve(test.heap), el("span", change(test.heap_before, test.heap_after)), class_="free"),
        data_kind=kind,
        data_s=f"{busy(test):.3f}",
        data_h=0 if test.heap_before is None or test.heap_after is None else test.heap_after - test.heap_before,
    )
