"""What docs/guides/ntest.md shows runs."""

from __future__ import annotations

import re
import subprocess
import sys

from bridge.ntest import read_outline
from tests.ntest.rig import run_of
from tests.test_docs import python_blocks
from tests.test_layers import ROOT

GUIDE = ROOT / "docs" / "guides" / "ntest.md"
EXAMPLE = ROOT / "examples" / "ntest" / "NTest_timers.lua"


def test_the_test_file_is_the_example_and_passes() -> None:
    (shown,) = re.findall(r"```lua\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert shown == EXAMPLE.read_text()
    run = run_of(shown, head="")
    assert run.good and [test.name for test in run.sub_tests] == list(read_outline(shown).names)
    assert len(run.sub_tests) == 3


def test_the_program_runs() -> None:
    (program,) = python_blocks(GUIDE)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert (run.returncode, run.stdout, run.stderr) == (0, "two and two passed 1 assertions\n", "")
