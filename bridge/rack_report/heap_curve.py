"""A board's free heap over time, as a small SVG."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.rack_report.element import Element, el

#: Heights within a curve that is 100 wide; it is stretched to what room there is.
_HIGH, _EDGE = 24.0, 2.0
#: A curve that varies by less than this, in bytes, is drawn nearly flat: it is noise and no fall.
_SPAN = 2048


def heap_curve(points: Sequence[tuple[float, int]], *, seconds: float | None = None) -> Element | None:
    """The curve, or None of fewer than two points.

    Args:
        points: seconds and free bytes, by time.
        seconds: how long the whole is; None ends with the last point.
    """
    if len(points) < 2:
        return None
    begin = 0.0 if seconds is not None else points[0][0]
    length = (points[-1][0] - begin if seconds is None else max(seconds, points[-1][0])) or 1.0
    sizes = [size for _, size in points]
    low, high = min(sizes), max(sizes)
    span = max(high - low, _SPAN)
    floor = low - (span - (high - low)) / 2
    drawn = [
        (100 * (at - begin) / length, _HIGH - _EDGE - (size - floor) / span * (_HIGH - 2 * _EDGE))
        for at, size in points
    ]
    line = " ".join(f"{x:.2f},{y:.1f}" for x, y in drawn)
    area = f"{drawn[0][0]:.2f},{_HIGH:g} {line} {drawn[-1][0]:.2f},{_HIGH:g}"
    last = drawn[-1]
    return el(
        "svg",
        el("title", heap_words(points)),
        el("polygon", points=area, class_="under"),
        el("polyline", points=line, class_="line"),
        el("path", d=f"M{last[0]:.2f} {last[1]:.1f}h0", class_="dot"),
        class_="heap",
        viewBox=f"0 0 100 {_HIGH:g}",
        preserveAspectRatio="none",
        role="img",
    )


def heap_words(points: Sequence[tuple[float, int]]) -> str:
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
