from __future__ import annotations

import subprocess
import sys


def test_it_hands_on_the_exit_code() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge.demo", "--size", "0"], capture_output=True, timeout=60)
    assert done.returncode == 2
