"""The watch of a process that really stands still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tests.ground_truth.standstill import LATE_S, LOOK_S

#: Prints the watch's longest standstill since its start, whenever a line comes in.
PROGRAM = """
import sys, time
from tests.ground_truth.standstill import StandstillWatch
watch, begin = StandstillWatch(), time.monotonic()
print("watching", flush=True)
for line in sys.stdin:
    time.sleep(0.1)
    print(watch.within(begin, time.monotonic()), flush=True)
watch.close()
"""


def test_a_process_that_was_stopped_knows_for_how_long() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "watching\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        stopped = time.monotonic()
        # Long against what the watch takes no notice of; the time itself is what is under test.
        time.sleep(2 * (LOOK_S + LATE_S))
        stood = time.monotonic() - stopped
        process.send_signal(signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert float(process.stdout.readline()) >= stood
        process.stdin.close()
        assert process.wait(10) == 0
