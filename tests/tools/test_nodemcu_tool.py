"""The real NodeMCU-Tool (npm) on a virtual board's pseudo-terminal."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

#: The first use compiles the tool's native serial port.
pytestmark = pytest.mark.timeout(420)

PAYLOAD = bytes(range(256)) * 4 + random.Random(2).randbytes(2000) + b"\r\n\n\rend"


def test_it_sees_the_file_system(nodemcu_tool: Run, pty: str) -> None:
    done = nodemcu_tool(pty, "fsinfo", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(done.stdout)
    assert facts["files"] == [] and 3000 < facts["meta"]["total"] < 4000  # in KB


def test_what_it_uploads_it_downloads_unchanged_and_lists(nodemcu_tool: Run, pty: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(PAYLOAD)
    done = nodemcu_tool(pty, "upload", "data.bin", cwd=tmp_path)
    assert done.returncode == 0 and "complete" in done.stdout, done.stdout + done.stderr
    listed = json.loads(nodemcu_tool(pty, "fsinfo", "--json").stdout)["files"]
    assert [(file["name"], file["size"]) for file in listed] == [("data.bin", len(PAYLOAD))]
    (tmp_path / "data.bin").unlink()
    done = nodemcu_tool(pty, "download", "data.bin", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data.bin").read_bytes() == PAYLOAD


def test_it_runs_a_file(nodemcu_tool: Run, pty: str, tmp_path: Path) -> None:
    (tmp_path / "hello.lua").write_text('print("sum", 19 + 23)\n')
    assert nodemcu_tool(pty, "upload", "hello.lua", cwd=tmp_path).returncode == 0
    done = nodemcu_tool(pty, "run", "hello.lua")
    assert done.returncode == 0 and "42" in done.stdout, done.stdout + done.stderr
