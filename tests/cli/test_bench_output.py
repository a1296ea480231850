"""Runs of every kind; that a real one fits is tested in tests/cli/test_json_output.py and test_bench.py."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.cli.bench_output import BenchUpload

FIGURES = {"line_fraction": 0.9, "bytes": 100, "seconds": 1.5, "clock": "wall", "flash_cost": False}


def test_an_upload_beside_other_programs() -> None:
    whole = {**FIGURES, "whole_line_fraction": 0.8}
    upload = BenchUpload.model_validate({**whole, "virtual_clock_line_fraction": None, "with_flash_cost": whole})
    assert upload.with_flash_cost is not None and upload.with_flash_cost.whole_line_fraction == 0.8
    assert BenchUpload.model_validate(FIGURES).with_flash_cost is None


def test_a_figure_of_another_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        BenchUpload.model_validate({**FIGURES, "speed": 1})
