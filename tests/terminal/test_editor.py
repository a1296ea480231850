"""Lines that are no terminal's; those that are edited are tested before a screen, in test_lua.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(source: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", "repl", "--port", "virtual:?cpu=0&baud_pacing=0"],
        input=source, capture_output=True, timeout=90, env=None,
    )  # fmt: skip


def test_lines_of_another_program_are_run_and_nothing_else_is_said(tmp_path: Path) -> None:
    done = run(b"print('one')\nfor i = 1, 2 do\nprint(i)\nend\n#'\xff'\n", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"one\n1\n2\n1\n", b"")


def test_the_first_error_ends_it(tmp_path: Path) -> None:
    done = run(b"error('mine')\nprint('not this')\n", tmp_path)
    assert (done.returncode, done.stdout) == (1, b"") and b"stdin:1: mine" in done.stderr


def test_an_end_in_the_middle_of_a_chunk_is_an_error(tmp_path: Path) -> None:
    done = run(b"print('one')\nif true then\n", tmp_path)
    assert (done.returncode, done.stdout) == (1, b"one\n") and b"The last chunk has no end" in done.stderr
