from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.images import image
from tests.terminal.screen import Terminal
from tests.test_flash import MANY


def test_an_image_is_written_and_the_board_named(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, log, flash, backup = tmp_path / "firmware.bin", tmp_path / "log", tmp_path / "flash", tmp_path / "backup"
    path.write_bytes(image("net,node,tmr,uart", size=1 << 20))
    url = f"virtual:?baud_pacing=0&flash_size={1 << 20}&flash_file={flash}"
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--log", str(log), "--profile", "virtual")
    assert code == 0
    first, last = out.splitlines()
    assert first == "NodeMCU 3.0.0.0, Lua 5.1, modules net, node, tmr, uart"
    assert last.startswith(f"Wrote {path.stat().st_size} bytes to ESP8266EX") and url in last
    assert "The profile virtual says 4096 KB of flash, the chip has 1024" in err
    assert "Hash of data verified" in log.read_text()
    assert flash.read_bytes()[:16] == path.read_bytes()[:16]
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--json", "--backup", str(backup), "--no-wait")
    said = json.loads(out)
    assert code == 0 and said["written"] is False and said["port"] == url
    assert "also Wi-Fi passwords and keys; only you can read it" in err
    assert backup.stat().st_mode & 0o777 == 0o600


def test_files_are_kept_over_another_layout(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path, flash = tmp_path / "firmware.bin", tmp_path / "flash"
    path.write_bytes(image(",".join(sorted(MANY))))
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&flash_file={flash}"
    code, _, err = invoke(capfd, "exec", "file.putcontents('kept.txt', 'still here')", "--port", url)
    assert code == 0, err
    code, _, err = invoke(capfd, "flash", str(path), "--port", url)
    assert code == 2 and "--keep-files" in err
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--keep-files")
    assert code == 0 and "Put 1 files back" in out, err
    assert "also Wi-Fi passwords" in err
    code, out, _ = invoke(capfd, "exec", "=file.getcontents('kept.txt')", "--port", url)
    assert out.strip() == "still here"
    assert not list((tmp_path / "state" / "nodemcu-bridge" / "files").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_by_a_signal_it_leaves_no_folder_and_shows_the_cursor(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    path = tmp_path / "firmware.bin"
    path.write_bytes(image())
    terminal = Terminal("-m", "bridge.cli", "flash", str(path), "--port", "virtual:", "--baud", "115200")
    while "writing" not in terminal.bytes:
        terminal.draw()
    assert list(temporary.iterdir())
    os.kill(terminal.child.pid, number)
    assert terminal.end() == 128 + number
    assert not list(temporary.iterdir())
    assert terminal.bytes.rfind("\x1b[?25h") > terminal.bytes.rfind("\x1b[?25l")
