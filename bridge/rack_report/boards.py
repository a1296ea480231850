"""A card for each board: what it is, how it is, what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bridge.rack_report.element import Element, el
from bridge.rack_report.heap_curve import heap_curve, kb
from bridge.rack_report.kinds import GLYPHS, KINDS, NAMES, kind_of
from bridge.rack_report.listing import busy
from bridge.rack_report.model import BoardReport, RackReport, TestReport
from bridge.rack_report.timeline import window
from bridge.rack_report.verdict import duration

#: Points of the curve of a whole run.
_MOST_POINTS = 300
#: A pause that is longer than this share of the run is one in the curve, too.
_PAUSE = 0.02
#: Sentences of evidence that a card shows.
_MOST_EVIDENCE = 6
_SIGNS = {"healthy": "●", "sick": "▲", "quarantined": "■"}


def boards(report: RackReport, links: Mapping[int, str]) -> list[Element]:
    """The cards, those that are not well first."""
    by_place: dict[str, list[tuple[int, TestReport]]] = {board.place: [] for board in report.boards}
    for number, test in enumerate(report.tests):
        if test.place is not None:
            by_place.setdefault(test.place, []).append((number, test))
    worst = ("quarantined", "sick", "healthy")
    shown = sorted(report.boards, key=lambda board: worst.index(board.state))
    begin, end = window(report)
    return [_card(board, by_place[board.place], begin, end, links) for board in shown]


def _card(
    board: BoardReport,
    tests: Sequence[tuple[int, TestReport]],
    begin: float,
    end: float,
    links: Mapping[int, str],
) -> Element:
    pieces = _whole([test for _, test in tests], begin, _PAUSE * (end - begin))
    curve = heap_curve(*pieces, seconds=end - begin)
    lowest = min((size for piece in pieces for _, size in piece), default=0)
    whole = sum(busy(test) for _, test in tests)
    return el(
        "article",
        el(
            "h3",
            el("span", board.place, class_="place"),
            el("span", _SIGNS[board.state], f" {board.state}", class_=f"state {board.state}"),
        ),
        el("p", *_identity(board), class_="identity"),
        _did([test for _, test in tests], whole),
        curve,
        el("p", f"lowest free heap {kb(lowest)}", class_="note") if curve is not None else None,
        _evidence(board, tests, links),
        class_=f"board {board.state}",
    )


def _identity(board: BoardReport) -> list[Element]:
    told = (board.port, board.mac, board.firmware)
    return [el("span", each) for each in told if each is not None]


def _did(tests: list[TestReport], seconds: float) -> Element:
    if not tests:
        return el("p", "ran no test", class_="did")
    counts = Counter(kind_of(test) for test in tests)
    parts = [
        el("span", el("span", GLYPHS[kind], class_=f"sign is-{kind}"), f"{counts[kind]}", title=NAMES[kind])
        for kind in KINDS
        if counts[kind]
    ]
    return el("p", *parts, el("span", f"{duration(seconds)} busy", class_="busy"), class_="did")


def _evidence(board: BoardReport, tests: Sequence[tuple[int, TestReport]], links: Mapping[int, str]) -> Element | None:
    if not board.evidence:
        return None
    known = {test.nodeid: links[number] for number, test in tests if number in links}
    rows = []
    for each in board.evidence[:_MOST_EVIDENCE]:
        when = "" if each.seconds is None else f" after {duration(each.seconds)}"
        link = known.get(each.nodeid or "")
        name = (each.nodeid or "").rpartition("::")[2]
        met = None
        if name:
            met = el("span", " — ", el("a", name, href=f"#{link}") if link else name, class_="met")
        rows.append(el("li", each.said, met, el("span", when, class_="when") if when else None))
    if len(board.evidence) > _MOST_EVIDENCE:
        rows.append(el("li", f"and {len(board.evidence) - _MOST_EVIDENCE} more", class_="more"))
    return el("ul", *rows, class_="evidence")


def _whole(tests: list[TestReport], begin: float, pause: float) -> list[list[tuple[float, int]]]:
    """The heap over the whole run: the curves of all tests, one after the other, in pieces where there are pauses."""
    pieces: list[list[tuple[float, int]]] = []
    curves = [[(max(test.started + test.waited + at - begin, 0.0), size) for at, size in test.heap] for test in tests]
    for curve in sorted(filter(None, curves)):
        if pieces and curve[0][0] - pieces[-1][-1][0] <= pause:
            pieces[-1] += curve
        else:
            pieces.append(curve)
    step = -(-sum(map(len, pieces)) // _MOST_POINTS) or 1
    # The lowest of each part: that is what a reader looks for.
    return [
        [min(piece[at : at + step], key=lambda point: point[1]) for at in range(0, len(piece), step)]
        for piece in map(sorted, pieces)
    ]
