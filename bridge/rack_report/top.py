"""The beginning of the page: the sentence, what it counts, and the first things to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from bridge.rack_report.element import Element, el
from bridge.rack_report.kinds import GLYPHS, KINDS, NAMES, NOT_WELL, Kind, charge_words, kind_of
from bridge.rack_report.listing import name_of
from bridge.rack_report.model import RackReport
from bridge.rack_report.reason import reason
from bridge.rack_report.verdict import duration, verdict

#: Failures that are named at the top, and how long what is said of each may be.
_NAMED, _LONGEST = 8, 200


def top(report: RackReport, links: Mapping[int, str], zone: tzinfo = UTC) -> Element:
    """The header.

    Args:
        report: the run.
        links: number of a test in the report → name of the element that tells more of it.
        zone: in which times are told.
    """
    counts = Counter(kind_of(test) for test in report.tests if test.last)
    totals = report.totals
    ill = totals.sick + totals.quarantined
    mood = "bad" if counts["test"] else "ill" if counts["board"] or ill or report.interrupted else "good"
    if not totals.tests and mood == "good":
        mood = "none"
    return el(
        "header",
        el("p", report.title, class_="title"),
        el("h1", verdict(report)),
        _share(counts) if totals.tests else None,
        _legend(counts) if totals.tests else None,
        _first(report, links),
        _facts(report, zone),
        class_=f"top {mood}",
    )


_ORDER: tuple[Kind, ...] = ("passed", "skipped", "again", "board", "test")


def _share(counts: Counter[Kind]) -> Element:
    """A bar of all tests, split by kind."""
    total = sum(counts.values())
    svg = el("svg", class_="share", width="100%", height=14, role="img")
    svg.append(el("title", ", ".join(f"{counts[kind]} {NAMES[kind]}" for kind in _ORDER if counts[kind])))
    # One failure among thousands must be seen.
    widths = {kind: max(100 * counts[kind] / total, 0.6) for kind in _ORDER if counts[kind]}
    left, scale = 0.0, 100 / sum(widths.values())
    for kind, width in widths.items():
        svg.append(el("rect", x=f"{left:.3f}%", y=0, width=f"{width * scale:.3f}%", height=14, class_=f"bar is-{kind}"))
        left += width * scale
    return svg


def _legend(counts: Counter[Kind]) -> Element:
    return el(
        "ul",
        *(
            el(
                "li",
                el("span", GLYPHS[kind], class_=f"sign is-{kind}", aria_hidden="true"),
                el("b", str(counts[kind])),
                f" {NAMES[kind]}",
            )
            for kind in KINDS
            if counts[kind] or kind == "passed"
        ),
        class_="legend",
    )


def _first(report: RackReport, links: Mapping[int, str]) -> Element | None:
    failed = [(number, test) for number, test in enumerate(report.tests) if kind_of(test) in NOT_WELL]
    if not failed:
        return None
    # What the tests did first: that is for their authors to mend.
    failed.sort(key=lambda each: NOT_WELL.index(kind_of(each[1])))
    # A board that is away fails everything that it should have run, for one reason.
    alike: dict[tuple[Kind, str, str], list[int]] = {}
    for number, test in failed:
        alike.setdefault((kind_of(test), charge_words(test), reason(test, _LONGEST)), []).append(number)
    rows = []
    for (kind, who, said), numbers in [*alike.items()][:_NAMED]:
        link = links.get(numbers[0])
        name = name_of(report.tests[numbers[0]].nodeid)
        rows.append(
            el(
                "li",
                el("span", GLYPHS[kind], class_=f"sign is-{kind}", aria_hidden="true"),
                el("a", *name, href=f"#{link}") if link is not None else el("span", *name),
                el("span", f"and {len(numbers) - 1} more like it", class_="who") if len(numbers) > 1 else None,
                el("span", who, class_="who"),
                el("span", said, class_="said") if said else None,
            )
        )
    left = sum(len(numbers) for numbers in [*alike.values()][_NAMED:])
    if left:
        rows.append(el("li", f"and {left} more below", class_="more"))
    return el("ul", *rows, class_="first")


def _facts(report: RackReport, zone: tzinfo) -> Element:
    began = datetime.fromtimestamp(report.started, zone)
    facts = [
        ("began", began.strftime("%-d %B %Y, %H:%M:%S %Z").strip()),
        ("took", duration(report.seconds)),
        ("boards", str(report.totals.boards)),
        ("tests", str(report.totals.tests)),
    ]
    if report.totals.again:
        facts.append(("run again", str(report.totals.again)))
    if report.interrupted:
        facts.append(("interrupted", report.interrupted))
    if report.host:
        facts.append(("on", report.host))
    if report.command:
        facts.append(("command", " ".join(report.command)))
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in facts), class_="facts")
