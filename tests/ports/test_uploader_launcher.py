"""The launcher's patch of pyserial, on a real pseudo-terminal; the tool itself is run in tests/tools."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

DRIVE_LINES = "import serial, sys; port = serial.Serial(sys.argv[1], 115200); port.setRTS(False); port.setDTR(False)"
TOLERANTLY = f"from bridge.ports import uploader_launcher; uploader_launcher.tolerate_missing_lines(); {DRIVE_LINES}"


@pytest.fixture
def pty() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def drive(code: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=False)


def test_a_pseudo_terminal_refuses_its_lines_and_the_launcher_makes_that_harmless(pty: str) -> None:
    plain = drive(DRIVE_LINES, pty)
    assert plain.returncode != 0 and f"Errno {errno.ENOTTY}" in plain.stderr
    tolerant = drive(TOLERANTLY, pty)
    assert tolerant.returncode == 0, tolerant.stderr


def test_other_failures_still_show(pty: str) -> None:
    broken = TOLERANTLY.replace("port.setRTS", "import os; os.close(port.fd); port.setRTS")
    failed = drive(broken, pty)
    assert failed.returncode != 0 and f"Errno {errno.EBADF}" in failed.stderr


@pytest.mark.parametrize("arguments", [[], ["--end-with-input"]])
def test_the_launcher_is_the_tool(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "bridge.ports.uploader_launcher", *arguments, "--version"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.read().startswith("nodemcu-uploader 1.")
        assert process.wait(60) == 0


def test_it_ends_with_its_input_where_it_is_told_to() -> None:
    code = "from bridge.ports.uploader_launcher import end_with_input; import time; end_with_input(); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        process.communicate(timeout=60)
    assert process.returncode == 1
