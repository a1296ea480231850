"""Runs of every kind; that a real one fits is tested in tests/cli/test_json_output.py and test_bench.py."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.bench.host import HostFigures
from bridge.bench.measure import host_figures, upload_figures
from bridge.bench.plan import Row
from bridge.cli.bench_output import BenchHost, BenchUpload
from bridge.files import Written

ROW = Row(115_200, None)
FIGURES = {**upload_figures(ROW, Written("x", 100, "sha256", 0.5, 0.4), "wall"), "flash_cost": False}


def test_an_upload_beside_other_programs() -> None:
    whole = {**FIGURES, "whole_line_fraction": 0.8}
    upload = BenchUpload.model_validate({**whole, "virtual_clock_line_fraction": None, "with_flash_cost": whole})
    assert upload.with_flash_cost is not None and upload.with_flash_cost.whole_line_fraction == 0.8
    assert BenchUpload.model_validate(FIGURES).with_flash_cost is None


def test_a_figure_of_another_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        BenchUpload.model_validate({**FIGURES, "speed": 1})


def test_the_host_of_a_real_board() -> None:
    host = BenchHost.model_validate(host_figures(HostFigures(0.1, 0.2)))
    assert (host.cpu_s_per_mb, host.rfc2217_cpu_s_per_mb) == (0.2, None)
