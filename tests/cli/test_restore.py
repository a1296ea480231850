from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.invoke import invoke


def test_a_saved_flash_is_written_back(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, flash = tmp_path / "saved.bin", tmp_path / "flash"
    url = f"virtual:?baud_pacing=0&flash=0&flash_size={1 << 20}&flash_file={flash}"
    file.write_bytes(b"\xff" * (1 << 20))
    code, out, err = invoke(capfd, "restore", str(file), "--port", url)
    assert (code, out.strip()) == (0, f"The flash on {url} is as it was saved again."), err
    assert flash.read_bytes() == file.read_bytes()


def test_what_is_no_backup_is_refused(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "firmware.bin"
    file.write_bytes(b"x" * 1000)
    code, _, err = invoke(capfd, "restore", str(file), "--port", "virtual:")
    assert code == 2 and "is no backup of a flash" in err
