from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.cli.invoke import invoke
from tests.images import image
from tests.terminal.screen import Terminal
from tests.test_flash import MANY, runs


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


def test_a_backup_that_is_there_is_kept_and_no_name_is_no_traceback(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, flash, backup = tmp_path / "firmware.bin", tmp_path / "flash", tmp_path / "backup.bin"
    path.write_bytes(image("net,node,tmr,uart", size=1 << 20))
    backup.write_bytes(b"\xe9" * (1 << 20))
    os.utime(backup, (86400 * 365, 86400 * 365))
    url = f"virtual:?baud_pacing=0&flash_size={1 << 20}&flash_file={flash}"
    arguments = ("flash", str(path), "--port", url, "--no-wait")
    code, _, err = invoke(capfd, *arguments, "--backup", str(backup))
    assert code == 0 and f"Keeping the backup that is there, {backup} of 197" in err, err
    assert "holds the whole flash as it was" not in err
    assert backup.read_bytes() == b"\xe9" * (1 << 20)
    code, _, err = invoke(capfd, *arguments, "--backup", "")
    assert code == 2 and err.startswith("nodemcu-bridge: '.' is no name of a file for a backup. Give one"), err
    code, _, err = invoke(capfd, *arguments, "--backup", str(path))
    assert code == 2 and "firmware.bin is there and is no backup" in err


class Watched(VirtualBoard):
    """A board that tells when esptool is at something.

    Args:
        sign: told of all that has come and of the last piece; true when esptool is there.
    """

    def __init__(self, options: VirtualOptions, sign: Callable[[int, bytes], bool]) -> None:
        super().__init__(options)
        self.there = asyncio.Event()
        self._sign = sign
        self._total = 0

    def host_write(self, data: bytes) -> None:
        self._total += len(data)
        if self._sign(self._total, data):
            self.there.set()
        super().host_write(data)


def reading(total: int, data: bytes) -> bool:
    # Behind the flasher, the acknowledgements of what it reads are a number each.
    return total > 8000 and len(data) <= 8


def writing(total: int, data: bytes) -> bool:
    return total > 60_000


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C comes another way")
@pytest.mark.parametrize(
    ("number", "sign", "words", "starts"),
    [
        (signal.SIGINT, reading, "interrupted: nothing has been written", True),
        (signal.SIGHUP, reading, "interrupted: nothing has been written", True),
        (signal.SIGTERM, writing, "the board may not start; run the same command again", False),
    ],
    ids=["Ctrl-C", "closed terminal", "timeout"],
)
def test_interrupted_by_a_person(
    number: signal.Signals, sign: Callable[[int, bytes], bool], words: str, starts: bool, tmp_path: Path
) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(image())
    backup = ["--backup", str(tmp_path / "backup.bin")] if starts else []

    async def scenario() -> None:
        async with Watched(VirtualOptions(flash=0, cpu=0), sign) as board:
            server = await serve_rfc2217(board)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.cli", "flash", str(path), "--port", server.url, "--force", *backup,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            await board.there.wait()
            os.killpg(process.pid, number)  # to esptool's process too, as a terminal does
            _, err = await process.communicate()
            assert process.returncode == 128 + number and words in err.decode() and "Traceback" not in err.decode(), err
            if starts:
                assert await runs(server.url)
                assert os.listdir(tmp_path) == ["firmware.bin"]
            await server.close()

    asyncio.run(scenario())


def test_what_was_written_is_told_also_where_a_program_of_the_board_holds_the_console(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, flash = tmp_path / "firmware.bin", tmp_path / "flash"
    path.write_bytes(image(size=1 << 20))
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&flash_size={1 << 20}&flash_file={flash}"
    program = "uart.on('data', 0, function() end, 0)"
    assert invoke(capfd, "exec", f'file.putcontents("init.lua", "{program}")', "--port", url)[0] == 0
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--force", "--json")
    said = json.loads(out)
    assert code == 1 and said["written"] is True and said["started"] is False
    assert "--no-wait" in said["reason"] and "--erase" in said["reason"] and said["reason"] in err
    schema = json.loads((Path(__file__).parent.parent.parent / "schemas" / "flash.json").read_text())
    jsonschema.validate(said, schema)
    code, out, err = invoke(capfd, "flash", str(path), "--port", url)
    assert code == 1 and "This firmware is on" in out and "does not come up" in err
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--no-wait", "--json")
    assert (code, json.loads(out)["started"], json.loads(out)["reason"]) == (0, None, None)


def test_a_state_folder_that_cannot_be_looked_at_spoils_nothing(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "nodemcu-bridge").touch()
    path = tmp_path / "firmware.bin"
    path.write_bytes(image(size=1 << 20))
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&flash_size={1 << 20}"
    code, out, err = invoke(capfd, "flash", str(path), "--port", url, "--no-wait", "--force", "--json")
    assert code == 0 and json.loads(out)["written"] is True, err
