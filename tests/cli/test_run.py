from __future__ import annotations

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
