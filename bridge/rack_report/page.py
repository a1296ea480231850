"""The page of a run: one file that needs nothing else, no network and no script."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, tzinfo
from importlib import resources

from bridge.rack_report.boards import boards
from bridge.rack_report.element import Element, document, el, raw
from bridge.rack_report.failures import MOST_SHOWN, failure
from bridge.rack_report.kinds import KINDS, NOT_WELL, kind_of
from bridge.rack_report.listing import listing
from bridge.rack_report.model import RackReport
from bridge.rack_report.reason import reason
from bridge.rack_report.timeline import timeline
from bridge.rack_report.top import top
from bridge.rack_report.verdict import verdict

#: More failures than this are shown with less of each.
_MANY = 50
#: Characters by which failures are alike.
_LONGEST = 200


def page(report: RackReport, zone: tzinfo = UTC) -> str:
    """The HTML of a run.

    Args:
        report: the run.
        zone: in which times are told.
    """
    failed = [number for number, test in enumerate(report.tests) if kind_of(test) in NOT_WELL]
    links = {number: f"t{number}" for number in failed[:MOST_SHOWN]}
    script = _ours("page.js")
    body = el(
        "body",
        el(
            "main",
            top(report, links, zone),
            _section("Timeline", timeline(report, links), name="timeline") if report.tests else None,
            _section("Boards", el("div", *boards(report, links), class_="boards"), name="boards")
            if report.boards
            else None,
            _failures(report, failed, links),
            _section("All tests", _filter(), *listing(report.tests, links), name="tests") if report.tests else None,
        ),
        raw("script", script),
    )
    return document(_head(report, script), body)


def _failures(report: RackReport, failed: list[int], links: dict[int, str]) -> Element | None:
    if not failed:
        return None
    passed = {test.nodeid for test in report.tests if test.last and kind_of(test) == "passed"}
    many = len(failed) > _MANY
    cards, seen = [], set[tuple[str, str]]()
    for number, link in links.items():
        test = report.tests[number]
        alike = kind_of(test), reason(test, _LONGEST)
        passed_later = not test.last and test.nodeid in passed
        cards.append(failure(test, link, many=many, passed_later=passed_later, known=alike in seen))
        seen.add(alike)
    note = None
    if len(failed) > len(cards):
        note = el("p", f"{len(failed) - len(cards)} more are in the list below with a line each.", class_="note")
    return _section("What failed", *cards, note, name="failures")


def _section(title: str, *children: Element | None, name: str) -> Element:
    return el("section", el("h2", title), *children, id=name)


def _filter() -> Element:
    """What the script needs; without it nobody sees this."""
    words = {"test": "test's fault", "board": "board's fault", "again": "run again"}
    return el(
        "form",
        el("input", type="search", placeholder="Filter by name or board", aria_label="Filter by name or board"),
        *(
            el("label", el("input", type="checkbox", value=kind, checked="checked"), el("span", words.get(kind, kind)))
            for kind in KINDS
        ),
        el("output"),
        id="filter",
        hidden="hidden",
    )


def _head(report: RackReport, script: str) -> list[Element]:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Even if text of somebody else became markup: nothing may be fetched, and no script runs but this one.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
    policy += "base-uri 'none'; form-action 'none'"
    return [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", f"{report.title}: {verdict(report)}"),
        raw("style", _ours("page.css")),
    ]


def _ours(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
