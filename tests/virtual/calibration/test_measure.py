"""The models against what was measured: every row within its allowance."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bridge.virtual.calibration.measure import BUILDS, Row, measure, recorded, worst
from bridge.virtual.clock import run

GROUND_TRUTH = Path(__file__).parents[2] / "ground_truth"
FOLDERS = {"5.1 float": "recordings", "5.3 float": "recordings-lua53", "5.1 integer": "recordings-integer"}


@pytest.mark.parametrize("build", BUILDS)
def test_every_row_is_within_its_allowance(build: str) -> None:
    rows = run(measure(build))
    assert [f"{row.name}: {row.recorded} recorded, {row.model} here" for row in worst(rows)] == []
    assert len(rows) > 40


@pytest.mark.parametrize("build", BUILDS)
def test_the_models_are_right_by_kind(build: str) -> None:
    rows = {row.name: row for row in run(measure(build))}
    for name in ("X=function() end", 'X=("t"):rep(100)', 'X=("y"):rep(256)', "for i=1,100 do T[i]={} end"):
        percent = rows[name].percent
        assert percent is not None and abs(percent) < 2, name
    for name in ("loaded", "full debug", "peak"):
        percent = rows[f"1 KB of source: {name}"].percent
        assert percent is not None and abs(percent) < 8, name


@pytest.mark.parametrize("build", BUILDS)
def test_the_extract_is_that_of_the_recordings(build: str) -> None:
    def text(name: str) -> str:
        steps = json.loads((GROUND_TRUTH / FOLDERS[build] / f"{name}.json").read_text())["steps"]
        return "".join(step.get("recv", "") for step in steps)

    truth = recorded()[build]
    assert [cost for _, cost in truth["costs"]] == [int(n) for n in re.findall(r"COST\t(-?\d+)\t", text("mem_costs"))]
    for label, name in (("LOADED\t", "loaded"), ("PEAK during load\t", "peak"), ("LOADED .lc\t", "compiled")):
        assert f"{label}{truth['chunks'][name]}" in text("mem_chunks")
    assert f"\n{truth['heap']}\t{truth['count']}" in text("mem_base")
    for _, size, peak in truth["lines"]:
        assert f"\n{size}\t{peak}\r" in text("mem_repl_line")
    for name, at_once, then in truth.get("sockets", {}).get("rows", ()):
        assert f"\t{name}\t{at_once}\t{then}\r" in text("mem_sockets2")
    if truth["counts"]:
        counted = re.findall(r"\t(\d+)(?:\.0)?\tmallocs\t(\d+)", text("vm_counts"))
        assert [[n, blocks] for _, n, blocks in truth["counts"]] == [[int(n), int(b)] for n, b in counted]


def test_a_row_knows_its_error() -> None:
    row = Row("5.1 float", "x", "bytes", 100, 110, 9)
    assert (row.error, row.percent, row.good) == (10, 10.0, False)
    assert Row("5.1 float", "x", "bytes", 0, 1, 1).percent is None
