"""examples/rack_tests as its README says, in a copy of the folder."""

from __future__ import annotations

import shutil

import pytest

from tests.pytest_plugin.boards import run
from tests.test_layers import ROOT


def test_it_runs_on_its_rack(pytester: pytest.Pytester) -> None:
    shutil.copytree(ROOT / "examples" / "rack_tests", pytester.path, dirs_exist_ok=True)
    run(pytester, "--rack", "rack.yaml").assert_outcomes(passed=5)
