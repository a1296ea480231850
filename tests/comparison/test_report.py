"""bridge/comparison/report.py: what the report says, in both of its forms."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from bridge.comparison.facts import Fact, Facts
from bridge.comparison.report import FailedTest, Report
from bridge.comparison.transcript import Difference

FACTS = Facts("5.1", "float", ("net", "ow", "uart"), True, 115200, "3.0.0.0", "3.0", 4 << 20, 80, 44600)


def make() -> Report:
    return Report(
        port="/dev/ttyUSB0",
        board=dataclasses.replace(FACTS, lua="5.3"),
        virtual=FACTS,
        facts=[Fact("Lua version", "5.3", "5.1")],
        equal_board="virtual:?lua=5.3",
        tests=[FailedTest("test_x", "it | broke\nbadly")],
        tests_passed=7,
        scenarios=[Difference("repl_basic", 3, "=1\n", "1\r\n> ", None)],
        same=["repl_edit"],
        not_played={"file_init": "the board has files"},
        figures={"instruction_us": 1.25},
        calibration="board.json",
    )


def test_an_equal_board_has_no_differences() -> None:
    report = Report("virtual:", FACTS, FACTS, [], "virtual:")
    assert report.differences() == []
    assert report.as_markdown().splitlines()[2] == "0 differences."


def test_every_difference_is_one_sentence() -> None:
    assert make().differences() == [
        "Lua version: 5.3 (virtual board: 5.1)",
        "test test_x: it | broke\nbadly",
        "scenario repl_basic: answered differently at send 3",
    ]


def test_the_markdown_shows_all_of_it() -> None:
    text = make().as_markdown()
    assert "| Lua version | 5.3 | 5.1 |" in text
    assert "| test_x | it \\| broke badly |" in text
    assert "- sent: `=1\\n`" in text
    assert "- the virtual board: nothing any more" in text
    assert "| file_init | the board has files |" in text
    assert "`calibration=FILE`" in text


def test_the_json_is_written_beside_the_markdown(tmp_path: Path) -> None:
    beside = make().write(tmp_path / "reports" / "board.md")
    assert beside == tmp_path / "reports" / "board.json"
    read = json.loads(beside.read_text())
    assert read["facts"] == [{"name": "Lua version", "board": "5.3", "virtual": "5.1"}]
    assert len(read["differences"]) == 3
    assert read["board"]["modules"] == ["net", "ow", "uart"]
