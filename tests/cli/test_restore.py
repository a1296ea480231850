from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.trace import read
from tests.cli.invoke import invoke


def test_a_saved_flash_is_written_back(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, flash = tmp_path / "saved.bin", tmp_path / "flash"
    url = f"virtual:?baud_pacing=0&flash=0&flash_size={1 << 20}&flash_file={flash}"
    file.write_bytes(b"\xff" * (1 << 20))
    trace = tmp_path / "a.trace"
    code, out, err = invoke(capfd, "restore", str(file), "--port", url, "--trace", str(trace))
    assert (code, out.strip()) == (0, f"The flash on {url} is as it was saved again."), err
    assert flash.read_bytes() == file.read_bytes()
    assert "writing" in [record.facts.get("stage") for record in read(trace).records]


def test_what_is_no_backup_is_refused(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "firmware.bin"
    file.write_bytes(b"x" * 1000)
    code, _, err = invoke(capfd, "restore", str(file), "--port", "virtual:")
    assert code == 2 and "is no backup of a flash" in err


def test_what_to_press_is_said_before_where_no_reset_lines_are_wired(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "saved.bin"
    file.write_bytes(b"\xff" * (4 << 20))
    profile = tmp_path / "mine.yaml"
    profile.write_text("name: mine\nreset: {lines: none, by_hand: Press the red one.}\n")
    code, _, err = invoke(capfd, "restore", str(file), "--port", "/dev/nosuchport", "--profile", str(profile))
    first, *_, last = err.splitlines()
    assert code == 1 and first == "Press the red one." and "There is no port /dev/nosuchport" in last


def test_a_pipe_is_not_waited_for(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, _, err = invoke(capfd, "restore", str(tmp_path / "pipe"), "--port", "virtual:")
    said = f"nodemcu-bridge: {tmp_path}/pipe is no plain file. Use a file that `flash --backup` wrote.\n"
    assert (code, err) == (2, said)  # no empty line from the progress bar
