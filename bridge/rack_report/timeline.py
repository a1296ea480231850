"""Boards and tests over time: a lane for each board, a bar for each test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.rack_report.element import Element, el
from bridge.rack_report.kinds import GLYPHS, NOT_WELL, Kind, kind_of, kind_words
from bridge.rack_report.listing import busy
from bridge.rack_report.model import BoardReport, RackReport, TestReport
from bridge.rack_report.verdict import duration

#: Least width of a bar, as a share of the lane in per cent: what failed must be seen among thousands.
_LEAST, _LEAST_FAILED = 0.08, 0.4
_HIGH = 28
#: Where a bar begins and how high it is.
_QUIET, _LOUD = (8, 12), (2, 24)
#: Steps of the axis, in seconds.
_STEPS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    43200,
    86400,
)
_LANE_OF_NONE = "no board"


def timeline(report: RackReport, links: Mapping[int, str]) -> Element:
    """The lanes and the axis below them.

    Args:
        report: the run.
        links: number of a test in the report → name of the element that tells more of it.
    """
    begin, end = window(report)
    axis = _Axis(begin, end - begin)
    lanes: dict[str | None, list[tuple[int, TestReport]]] = {board.place: [] for board in report.boards}
    for number, test in enumerate(report.tests):
        lanes.setdefault(test.place, []).append((number, test))
    boards = {board.place: board for board in report.boards}
    rows: list[Element] = []
    for place, tests in lanes.items():
        board = None if place is None else boards.get(place)
        rows += [_label(place, board), _lane(tests, board, axis, links)]
    return el("div", _patterns(), *rows, el("div", class_="lane-name"), _marks(axis), class_="timeline")


def window(report: RackReport) -> tuple[float, float]:
    """When the first test had its board and when the last one was over, in seconds from the run's beginning.

    What is before and after is pytest's own: its workers start, and boards are given back.
    """
    begin = min((test.started + test.waited for test in report.tests), default=0.0)
    end = max((test.started + test.seconds for test in report.tests), default=report.seconds)
    return begin, max(end, begin + 0.01)


class _Axis:
    """From seconds of the run to places on a lane."""

    def __init__(self, begin: float, length: float) -> None:
        self._begin, self._length = begin, length
        step = next((each for each in _STEPS if length / each <= 8), length / 4)
        first = -(-begin // step)
        last = (begin + length) // step
        self.ticks = [round(number * step, 6) for number in range(int(first), int(last) + 1)]

    def share(self, seconds: float) -> float:
        """A length as a share of the lane, in per cent."""
        return 100 * seconds / self._length

    def at(self, seconds: float) -> float:
        """A moment's place on the lane, in per cent."""
        return min(max(self.share(seconds - self._begin), 0.0), 100.0)


def _label(place: str | None, board: BoardReport | None) -> Element:
    state = board.state if board is not None else "healthy"
    sign = None if state == "healthy" else el("span", state, class_=f"state {state}")
    return el("div", el("span", place or _LANE_OF_NONE, class_="place", title=place), sign, class_="lane-name")


def _lane(
    tests: Sequence[tuple[int, TestReport]],
    board: BoardReport | None,
    axis: _Axis,
    links: Mapping[int, str],
) -> Element:
    svg = el("svg", class_="lane", width="100%", height=_HIGH, role="group")  # it has links
    name = board.place if board is not None else _LANE_OF_NONE
    svg.append(el("title", f"{name}: {len(tests)} test{'s' * (len(tests) != 1)}"))
    for at in axis.ticks:
        x = f"{axis.at(at):.3f}%"
        svg.append(el("line", x1=x, x2=x, y1=0, y2=_HIGH, class_="tick"))
    if board is not None and board.state == "quarantined":
        out = max((each.seconds for each in board.evidence if each.seconds is not None), default=0.0)
        left = axis.at(out)
        svg.append(el("rect", x=f"{left:.3f}%", y=2, width=f"{100 - left:.3f}%", height=_HIGH - 4, class_="out"))
    # Those that failed are drawn last, and so on top.
    for number, test in sorted(tests, key=lambda each: kind_of(each[1]) in NOT_WELL):
        svg.append(_bar(test, axis, links.get(number)))
    for each in board.evidence if board is not None else ():
        if each.seconds is not None:
            words = f"{_short(each.said)}\n{duration(each.seconds)} after the beginning"
            mark = el("rect", el("title", words), x=f"{axis.at(each.seconds):.3f}%", y=0, width=2, height=_HIGH)
            mark.set("class", "seen")
            svg.append(mark)
    return svg


def _bar(test: TestReport, axis: _Axis, link: str | None) -> Element:
    kind: Kind = kind_of(test)
    loud = kind in NOT_WELL
    width = max(axis.share(busy(test)), _LEAST_FAILED if loud else _LEAST)
    left = min(axis.at(test.started + test.waited), 100 - width)
    top, high = _LOUD if loud else _QUIET
    words = f"{GLYPHS[kind]} {_short(test.nodeid)}\n{kind_words(test)}, {duration(busy(test))}"
    bar = el(
        "rect",
        el("title", words),
        x=f"{left:.3f}%",
        y=top,
        width=f"{width:.3f}%",
        height=high,
        class_=f"bar is-{kind}",
    )
    return bar if link is None else el("a", bar, href=f"#{link}")


def _marks(axis: _Axis) -> Element:
    svg = el("svg", class_="axis", width="100%", height=18, aria_hidden="true")
    for at in axis.ticks:
        place = axis.at(at)
        anchor = "start" if place < 3 else "end" if place > 97 else "middle"
        svg.append(el("text", _tick_words(at), x=f"{place:.3f}%", y=13, text_anchor=anchor))
    return svg


def _tick_words(at: float) -> str:
    if at < 60 or at % 1:
        return f"{at:g} s"
    minutes, seconds = divmod(round(at), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _patterns() -> Element:
    """Hatchings, so that whose fault it was is seen without colours, too."""
    return el(
        "svg",
        el(
            "defs",
            el(
                "pattern",
                el("rect", width=6, height=6, class_="ground"),
                el("path", d="M0 0v6", class_="stripe"),
                id="hatch-board",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
                patternTransform="rotate(45)",
            ),
            el(
                "pattern",
                el("path", d="M0 0v8", class_="faint"),
                id="hatch-out",
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
                patternTransform="rotate(45)",
            ),
        ),
        class_="patterns",
        width=0,
        height=0,
        aria_hidden="true",
    )
