"""Costs, and the calibration file that replaces the estimates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.virtual.cost import CostModel, load_costs


def test_the_estimates() -> None:
    costs = load_costs(None)
    assert costs.instructions(1000) == pytest.approx(1200)
    assert costs.c_calls(2) == 12
    assert costs.copied(1000) == pytest.approx(50)
    assert costs.collection(1000) == pytest.approx(900)


def test_a_file_replaces_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    file.write_text(json.dumps({"instruction_us": 2, "source": "the board on my desk"}))
    assert load_costs(str(file)) == CostModel(instruction_us=2, source="the board on my desk")
    file.write_text("{}")
    assert load_costs(str(file)).source == str(file)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"speed": 1}', "has the key speed"),
        ('{"byte_us": "fast"}', "gives byte_us as 'fast'"),
        ('{"byte_us": -1}', "gives byte_us as -1"),
        ('{"byte_us": true}', "gives byte_us as True"),
        ('{"source": 1}', "gives source as 1"),
    ],
)
def test_what_is_no_calibration(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "board.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="board.json.*" + complaint.replace("(", r"\(")):
        load_costs(str(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.json cannot be read"):
        load_costs(str(tmp_path / "missing.json"))
