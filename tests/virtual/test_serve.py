"""`serve`, as the command runs it: a process of its own, its lines, and its signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import serial

from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.serve import Doors, serve
from tests.board_process import COMMAND, announced, board_process


def ask(path: str, text: bytes, end: bytes) -> bytes:
    with serial.Serial(path, 115200, timeout=10, exclusive=True) as port:
        port.write(text)
        return port.read_until(end)


def test_a_board_on_a_link_answers_and_everything_is_gone_afterwards(tmp_path: Path) -> None:
    link = tmp_path / "board"
    with board_process("--pty", str(link), "--address", "127.8.7.1", "--seed", "3") as process:
        assert announced(process) == ["PTY", str(link)]
        assert ask(str(link), b"=6*7\n", b"42\r\n> ").endswith(b"42\r\n> ")
    assert not link.is_symlink()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # in pyserial's client
def test_both_doors_lead_to_one_board() -> None:
    with board_process("--pty", "--rfc2217", "127.0.0.1:0") as process:
        kind, path = announced(process)
        assert kind == "PTY" and path.startswith("/dev/")
        kind, url = announced(process)
        assert kind == "RFC2217" and url.startswith("rfc2217://127.0.0.1:")
        ask(path, b"x=77\n", b"\n> ")
        with serial.serial_for_url(url, 115200, timeout=10) as port:
            port.write(b"=x\n")
            assert port.read_until(b"77\r\n> ").endswith(b"77\r\n> ")


def test_signals_press_the_button_and_pull_the_plug(tmp_path: Path) -> None:
    link = tmp_path / "board"
    with board_process("--pty", str(link)) as process:
        announced(process)
        with serial.Serial(str(link), 115200, timeout=10) as port:
            port.reset_input_buffer()
            process.send_signal(signal.SIGUSR1)
            assert b"NodeMCU" in port.read_until(b"\n> ")
            first = os.readlink(link)
            process.send_signal(signal.SIGUSR2)
            with pytest.raises(serial.SerialException):
                while True:
                    port.read(1)
        assert announced(process) == ["PTY", str(link)]
        assert os.readlink(link) != first, "it comes back under another name"
        assert b"2\r\n" in ask(str(link), b"=1+1\n", b"2\r\n> ")


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lua", "5.2"], "lua=5.2"),
        (["--cpu", "fast"], "cpu=fast"),
        (["--modules", "net,bogus"], "bogus"),
        (["--address", "192.168.1.7"], "loopback"),
        (["--dns", "nameserver"], "dns=nameserver"),
        (["--rfc2217", "nowhere"], "HOST:PORT"),
        (["--pty", "/nonexistent/folder/link"], "/nonexistent/folder/link"),
        (["--calibration", "/nonexistent/file"], "/nonexistent/file"),
        (["--flash-file", "/nonexistent/file"], "/nonexistent/file"),
        (["--no-such-flag"], "--no-such-flag"),
        (["--clock", "virtual"], "--clock"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_two(arguments: list[str], words: str) -> None:
    done = refused(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert words in done.stderr and "Traceback" not in done.stderr


def test_a_busy_tcp_port_is_one_sentence_and_exit_code_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = refused("--rfc2217", f"127.0.0.1:{other.getsockname()[1]}")
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


def test_a_board_that_fails_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(self: VirtualBoard) -> None:
        raise ZeroDivisionError("a bug of the board's")

    monkeypatch.setattr(VirtualBoard, "reset", bug)
    said: list[str] = []
    with pytest.raises(ZeroDivisionError):
        asyncio.run(serve(VirtualOptions(reset_after_s=0.8), Doors(), said.append))
    assert len(said) == 1 and said[0].startswith("PTY /dev/")
