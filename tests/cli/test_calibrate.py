"""`nodemcu-bridge calibrate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.invoke import invoke


def test_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "calibrate", "--build", "5.1 integer")
    assert (code, err) == (0, "")
    assert "1 KB of source: loaded" in out and "X={}" in out
    assert "5.3 float" not in out
    assert "instruction_us 1.2" in out


def test_json(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    file.write_text('{"instruction_us": 2.5}')
    code, out, _ = invoke(capfd, "calibrate", "--build", "5.3 float", "--json", "--calibration", str(file))
    assert code == 0
    shown = json.loads(out)
    assert shown["costs"]["instruction_us"] == 2.5
    assert {"build", "name", "unit", "recorded", "model", "allowed", "error", "good"} == set(shown["rows"][0])
    assert all(row["good"] for row in shown["rows"])


def test_a_calibration_file_that_is_not_there(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = invoke(capfd, "calibrate", "--calibration", str(tmp_path / "none.json"))
    assert code == 2 and out == ""
    assert "cannot be read" in err and len(err.splitlines()) == 1
