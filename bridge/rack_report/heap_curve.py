"""A board's free heap over time, as a small SVG."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.rack_report.element import Element, el

#: Heights within a curve that is 100 wide; it is stretched to what room there is.
_HIGH, _EDGE = 24.0, 2.0
#: A curve that varies by less than this, in bytes, is drawn nearly flat: it is noise and no fall.
_SPAN = 2048


Curve = Sequence[tuple[float, int]]
"""Seconds and free bytes, by time."""


def heap_curve(*pieces: Curve, seconds: float | None = None) -> Element | None:
    """The curve, or None of fewer than two points.

    Args:
        pieces: of it; between them nobody looked at the heap, and no line is drawn.
        seconds: how long the whole is; None ends with the last point.
    """
    points = [point for piece in pieces for point in piece]
    if len(points) < 2:
        return None
    begin = 0.0 if seconds is not None else points[0][0]
    length = (points[-1][0] - begin if seconds is None else max(seconds, points[-1][0])) or 1.0
    sizes = [size for _, size in points]
    low, high = min(sizes), max(sizes)
    span = max(high - low, _SPAN)
    floor = low - (span - (high - low)) / 2
    drawn: list[Element] = []
    x = y = 0.0
    for piece in filter(None, pieces):
        places = [
            (100 * (at - begin) / length, _HIGH - _EDGE - (size - floor) / span * (_HIGH - 2 * _EDGE))
            for at, size in piece
        ]
        if len(places) == 1:
            places *= 2  # a line without a length is a dot
        (first, _), (x, y) = places[0], places[-1]
        line = " ".join(f"{x:.2f},{y:.1f}" for x, y in places)
        drawn.append(el("polygon", points=f"{first:.2f},{_HIGH:g} {line} {x:.2f},{_HIGH:g}", class_="under"))
        drawn.append(el("polyline", points=line, class_="line"))
    return el(
        "svg",
        el("title", heap_words(points)),
        *drawn,
        el("path", d=f"M{x:.2f} {y:.1f}h0", class_="dot"),
        class_="heap",
        viewBox=f"0 0 100 {_HIGH:g}",
        preserveAspectRatio="none",
        role="img",
    )


def heap_words(points: Curve) -> str:
    """What the curve shows."""
    sizes = [size for _, size in points]
    return f"{kb(sizes[0])} free, then {kb(sizes[-1])}; lowest {kb(min(sizes))}"


def kb(size: int) -> str:
    """A number of bytes with thin spaces: 44 600 bytes."""
    return f"{size:,} bytes".replace(",", "\u202f")


def change(before: int | None, after: int | None) -> str:
    """What the heap gained, in bytes with a sign; empty if nobody knows."""
    if before is None or after is None:
        return ""
    if after == before:
        return "0"
    return f"{after - before:+,}".replace(",", "\u202f").replace("-", "\u2212")
