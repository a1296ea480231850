"""The beginning of the page: the sentence, what it counts, and the first things to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from bridge.rack_report.element import Element, el
from bridge.rack_report.kinds import GLYPHS, KINDS, NAMES, NOT_WELL, Kind, charge_words, kind_of
from bridge.rack_report.listing import name_of
from bridge.rack_report.model import RackReport
from bridge.rack_report.verdict import duration, verdict

#: Failures that are named at the top.
_NAMED = 8


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
    return el(
        "header",
        el("p", report.title, class_="title"),
        el("h1", verdict(report)),
        _share(counts) if totals.tests else None,
        _legend(counts),
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
    rows = []
    for number, test in failed[:_NAMED]:
        kind = kind_of(test)
        link = links.get(number)
        name = name_of(test.nodeid)
        said = test.findings[0] if test.findings else (test.message.head.split("\n", 1)[0] if test.message else "")
        rows.append(
            el(
                "li",
                el("span", GLYPHS[kind], class_=f"sign is-{kind}", aria_hidden="true"),
                el("a", *name, href=f"#{link}") if link is not None else el("span", *name),
                el("span", charge_words(test), class_="who"),
                el("span", said if len(said) <= 200 else f"{said[:199]}…", class_="said") if said else None,
            )
        )
    if len(failed) > _NAMED:
        rows.append(el("li", f"and {len(failed) - _NAMED} more below", class_="more"))
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
