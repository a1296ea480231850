from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bridge
from bridge.errors import UsageError
from bridge.inspect import inspect_board
from bridge.ports.open import open_port
from bridge.virtual.options import VirtualOptions
from bridge.virtual.shelf import options_of
from tests.board_process import announced, board_process


def test_each_board_has_a_mac_address_a_seed_and_a_file_of_its_own() -> None:
    shelf = VirtualOptions(flash_file="flash", seed=3)
    boards = [options_of(shelf, number) for number in (1, 2)]
    assert [board.mac for board in boards] == ["5c:cf:7f:5e:03:01", "5c:cf:7f:5e:03:02"]
    assert [board.flash_file for board in boards] == ["flash-1", "flash-2"]
    assert boards[0].seed != boards[1].seed
    with pytest.raises(UsageError, match="addresses of their own"):
        options_of(VirtualOptions(mac="5c:cf:7f:00:00:01"), 1)


def test_a_shelf_answers_on_ports_of_its_own_and_ends_with_its_process() -> None:
    async def macs(urls: list[str]) -> list[object]:
        found = []
        for url in urls:
            port = await open_port(url)
            found.append((await inspect_board(port))["mac"])
            await port.close()
        return found

    with board_process("--shelf", "2", "--rfc2217", "127.0.0.1:0", "--no-baud-pacing", "--cpu", "0") as process:
        urls = [announced(process)[1] for _ in range(2)]
        assert asyncio.run(macs(urls)) == ["5c:cf:7f:5e:00:01", "5c:cf:7f:5e:00:02"]


def test_a_password_is_in_no_command_line() -> None:
    command = [sys.executable, "-m", "bridge.cli", "virtual", "--shelf", "1", "--rfc2217", "127.0.0.1:0"]
    environment = {**os.environ, "NODEMCU_BRIDGE_VIRTUAL_WIFI": "workshop:correct-horse"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert announced(process)[0] == "RFC2217"
        lines = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "bridge.virtual.shelf" in lines and "correct-horse" not in lines
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_what_cannot_be_is_said() -> None:
    for arguments in (["--shelf", "2"], ["--shelf", "2", "--rfc2217", "127.0.0.1:0", "--mac", "5c:cf:7f:00:00:01"]):
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli", "virtual", *arguments], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 2 and "Traceback" not in done.stderr


def test_what_lies_in_the_working_folder_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the working folder was run')\n")
    command = [sys.executable, "-P", "-m", "bridge.cli", "virtual", "--shelf", "1", "--rfc2217", "127.0.0.1:0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(bridge.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        try:
            assert announced(process)[0] == "RFC2217"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
