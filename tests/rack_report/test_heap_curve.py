from __future__ import annotations

from bridge.rack_report.element import Element
from bridge.rack_report.heap_curve import change, heap_curve, heap_words, kb


def line(svg: Element | None) -> list[tuple[float, float]]:
    assert svg is not None
    points = svg.find("polyline").get("points", "")  # type: ignore[union-attr]
    return [(float(x), float(y)) for x, y in (point.split(",") for point in points.split())]


def test_the_curve_goes_from_one_side_to_the_other_and_falls_where_the_heap_falls() -> None:
    (x0, y0), (x1, y1), (x2, y2) = line(heap_curve([(2.0, 40_000), (3.0, 30_000), (6.0, 40_000)]))
    assert (x0, x1, x2) == (0, 25, 100)
    assert y1 > y0 == y2  # y points down


def test_a_curve_within_a_run_stands_at_its_time() -> None:
    assert [x for x, _ in line(heap_curve([(2.0, 1), (4.0, 1)], seconds=8.0))] == [25, 50]


def test_a_few_bytes_are_no_fall() -> None:
    low, high = sorted(y for _, y in line(heap_curve([(0.0, 40_000), (1.0, 39_980)])))
    assert high - low < 0.5


def test_everything_is_within_the_picture() -> None:
    for points in ([(0.0, 0), (1.0, 81_920)], [(0.0, 5), (0.0, 5)], [(0.0, 1), (9.0, 2)]):
        assert all(0 <= x <= 100 and 0 <= y <= 24 for x, y in line(heap_curve(points, seconds=1.0)))


def test_one_point_is_no_curve() -> None:
    assert heap_curve([]) is None and heap_curve([(1.0, 40_000)]) is None


def test_it_is_told_in_words() -> None:
    assert heap_words([(0, 44_600), (1, 30_000), (2, 44_000)]) == (
        "44\u202f600 bytes free, then 44\u202f000 bytes; lowest 30\u202f000 bytes"
    )
    assert kb(999) == "999 bytes"


def test_a_change_has_its_sign() -> None:
    assert [change(10_000, 8816), change(1, 25), change(7, 7), change(None, 1)] == ["\u22121\u202f184", "+24", "0", ""]


def test_where_nobody_looked_there_is_no_line() -> None:
    svg = heap_curve([(0.0, 40_000), (1.0, 30_000)], [(5.0, 40_000)], [(7.0, 30_000), (8.0, 30_000)], seconds=10.0)
    assert svg is not None
    lines = [each.get("points", "").split() for each in svg.findall("polyline")]
    assert [len(points) for points in lines] == [2, 2, 2]
    assert [float(points[0].partition(",")[0]) for points in lines] == [0, 50, 70]
    assert lines[1][0] == lines[1][1], "a dot"
    assert len(svg.findall("polygon")) == 3
