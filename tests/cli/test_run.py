from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.invoke import BOARD, invoke


def test_a_file_of_several_kilobytes(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    path.write_text("local n = 0\n" + "n = n + 1 -- a line that only makes the file longer\n" * 60 + "print(n)\n")
    assert invoke(capfd, "run", str(path), "--port", BOARD) == (0, "60\n", "")


def test_a_file_that_is_not_there(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = invoke(capfd, "run", str(tmp_path / "none.lua"), "--port", BOARD)
    assert (code, out) == (2, "") and "none.lua cannot be read" in err


def test_a_first_line_for_the_shell(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is left out, and the lines keep their numbers."""
    path = tmp_path / "script.lua"
    path.write_text("#!/usr/bin/env nodemcu-bridge run\nprint(2)\nerror('here')\n")
    code, out, err = invoke(capfd, "run", str(path), "--port", BOARD)
    assert (code, out) == (1, "2\n") and "script.lua:3: here" in err


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("return 3", 3), ("return 0, 'x'", 0), ("return false", 1), ("return true", 0), ("", 0), ("return nil, 'x'", 0),
        ("error('mine')", 1), ("return 256", 2), ("return 1.5", 2), ("return 'x'", 2), ("return {}", 2),
    ],
)  # fmt: skip
def test_the_exit_code_of_a_script(source: str, code: int, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "script.lua"
    path.write_text(f"print('in it')\n{source}\n")
    found, out, err = invoke(capfd, "run", str(path), "--status", "--port", BOARD)
    assert (found, out) == (code, "in it\n") and ("mine" in err or "is no exit code" in err or not err)


def test_without_asking_for_it_what_it_returns_is_no_exit_code(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "script.lua").write_text("return 3\n")
    assert invoke(capfd, "run", str(tmp_path / "script.lua"), "--port", BOARD) == (0, "3\n", "")


def test_what_it_prints_comes_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "script.lua"
    path.write_text("print('first') tmr.create():alarm(50, 1, function() print('tick') uart.write(0, 'tock') end)\n")
    command = [sys.executable, "-m", "bridge.cli", "run", str(path), "--wait", "60", "--port", "virtual:?cpu=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(3)] == [b"first\n", b"tick\n", b"tocktick\n"]
        finally:
            process.kill()
