from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bridge.ports.process import lives


def test_one_that_is_there_and_one_that_has_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert lives(os.getpid()) and lives(1)
    assert not lives(child.pid)


@pytest.mark.parametrize("pid", [0, -1, 1 << 80])
def test_numbers_of_no_process(pid: int) -> None:
    assert not lives(pid)
