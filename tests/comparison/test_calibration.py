"""bridge/comparison/calibration.py: measured figures are those of the model, and come back through the file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bridge.comparison import calibration, facts
from bridge.comparison.console import Console
from tests.comparison.boards import on_console


async def figures(console: Console) -> dict[str, float]:
    return await calibration.measure(console, await facts.gather(console))


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_the_figures_are_those_of_the_model(lua: str) -> None:
    """1.2 us for an instruction and 6 us for a call into C, at 80 MHz (docs/reference/virtual-board.md)."""
    found = on_console(figures, f"&lua={lua}")
    assert found["instruction_us"] == pytest.approx(1.2, rel=0.2)
    assert found["c_call_us"] == pytest.approx(6, rel=0.25)
    assert found["live_object_us"] == pytest.approx(0.8, rel=0.5)
    assert found["page_program_ms"] > 0.7


def test_a_slower_board_measures_slower() -> None:
    usual, slow = on_console(figures), on_console(figures, "&cpu=3")
    assert slow["instruction_us"] == pytest.approx(3 * usual["instruction_us"], rel=0.05)


def test_a_faster_clock_is_scaled_to_80_mhz() -> None:
    async def at_160(console: Console) -> dict[str, float]:
        found = await facts.gather(console)
        await console.type("node.setcpufreq(node.CPU160MHZ)")
        return await calibration.measure(console, dataclasses.replace(found, cpu_mhz=160))

    usual, fast = on_console(figures), on_console(at_160)
    assert fast["instruction_us"] == pytest.approx(usual["instruction_us"], rel=0.1)


def test_the_file_names_its_source(tmp_path: Path) -> None:
    calibration.write(tmp_path / "kept" / "board.json", {"instruction_us": 1.5}, "the board on my desk")
    assert json.loads((tmp_path / "kept" / "board.json").read_text()) == {
        "source": "the board on my desk",
        "instruction_us": 1.5,
    }


def test_nothing_is_left_on_the_board() -> None:
    async def look(console: Console) -> list[str]:
        await figures(console)
        return [await console.ask(name) for name in ("LS", "SS", "O", "M", "f", "next(file.list())")]

    assert on_console(look) == ["nil"] * 6
