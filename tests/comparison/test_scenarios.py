"""bridge/comparison/scenarios.py: which scenarios there are, and what becomes of one on a bad port."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.comparison import scenarios
from bridge.errors import UsageError

FOLDER = Path(__file__).parent.parent / "ground_truth" / "scenarios"


def test_all_console_scenarios_are_found_in_the_order_of_their_files() -> None:
    names = [scenario.name for scenario in scenarios.find(FOLDER)]
    assert names[:3] == ["repl_boot", "repl_basic", "repl_lineend"]
    assert len(names) == len(set(names)) == 44


def test_every_name_that_is_treated_specially_exists() -> None:
    names = {scenario.name for scenario in scenarios.find(FOLDER)}
    assert names >= scenarios.LEAVES_NO_PROMPT
    assert names >= scenarios.WRITES_FILES


def test_some_can_be_chosen() -> None:
    assert [each.name for each in scenarios.find(FOLDER, ["restart", "repl_edit"])] == ["repl_edit", "restart"]
    assert scenarios.find(FOLDER, []) == []


def test_a_wrong_name_is_one_clear_sentence() -> None:
    with pytest.raises(UsageError, match="repl_bassic is not a console scenario"):
        scenarios.find(FOLDER, ["repl_bassic"])


def test_a_folder_without_scenarios_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are no scenarios in"):
        scenarios.find(tmp_path)


def test_a_port_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    [scenario] = scenarios.find(FOLDER, ["repl_boot"])
    answer = scenarios.play(scenario, str(tmp_path / "no-such-port"), tmp_path / "out")
    assert answer.path is None
    assert "no-such-port" in answer.trouble
    assert "Traceback" not in answer.trouble
