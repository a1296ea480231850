"""The real nodemcu-uploader on a virtual board's pseudo-terminal, through the launcher for ports without lines."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

#: Every byte value, line ends of all kinds, and more than a few of the tool's blocks of 128.
PAYLOAD = bytes(range(256)) * 4 + random.Random(1).randbytes(3000) + b"\r\n\n\rend"


def uploader(path: str, *arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bridge.ports.uploader_launcher", "--port", path, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_is_uploaded_is_listed_and_downloaded_unchanged(pty: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(PAYLOAD)
    uploader(pty, "upload", "data.bin", cwd=tmp_path)
    assert ["data.bin", str(len(PAYLOAD))] in [line.split() for line in uploader(pty, "file", "list").splitlines()]
    uploader(pty, "download", "data.bin:back.bin", cwd=tmp_path)
    assert (tmp_path / "back.bin").read_bytes() == PAYLOAD


def test_an_upload_is_verified_by_reading_it_back(pty: str, tmp_path: Path) -> None:
    (tmp_path / "hello.lua").write_text('print("hello from a file")\n')
    uploader(pty, "upload", "--verify", "raw", "hello.lua", cwd=tmp_path)
    assert "hello from a file" in uploader(pty, "file", "do", "hello.lua")


def test_it_reads_the_nodes_facts(pty: str) -> None:
    facts = uploader(pty, "node", "info")
    for name in ("chip_id", "flash_size", "node_version_major", "git_branch", "number_type", "modules"):
        assert name in facts, facts
    assert "Lua error" not in facts
    assert any(word.isdigit() and int(word) > 20000 for word in uploader(pty, "node", "heap").split())


def test_it_changes_the_speed_and_uploads_at_that(pty: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(PAYLOAD)
    uploader(pty, "--baud", "921600", "upload", "--verify", "raw", "data.bin", cwd=tmp_path)
