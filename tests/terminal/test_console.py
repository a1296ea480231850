"""`repl --no-agent` before a screen, and with boards on which the agent cannot run."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.board_process import announced, board_process
from tests.cli.peers import MicroPython
from tests.ports.test_serial import Master
from tests.terminal.screen import terminal


@pytest.fixture
def board() -> Iterator[str]:
    with board_process("--pty", "auto", "--cpu", "0", "--no-baud-pacing") as process:
        yield announced(process)[1]


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Something else on a port: the path of its pseudo-terminal."""
    master = Master()
    os.set_blocking(master.fd, True)

    def serve() -> None:
        while True:
            try:
                data = os.read(master.fd, 4096)
                os.write(master.fd, answer(data))
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield master.path
    finally:
        master.close()


def test_keys_go_to_the_board_and_its_bytes_come_back_as_they_are(board: str) -> None:
    with terminal("repl", "--no-agent", "--port", board) as shown:
        shown.until("Ctrl-] leaves, %help says more.")
        shown.type("\n")
        shown.until(here="> ")
        shown.type("print('hel' .. 'lo')\n")
        shown.until("> print('hel' .. 'lo')", "hello", here="> ")
        shown.type("if true then\n")
        shown.until("> if true then", here=">> ")
        shown.type("print(1)x\x7f end\n")
        shown.until(">> print(1) end", "1", here="> ")
        shown.type("\x1d")
        assert shown.end() == 0


def test_ctrl_c_wipes_what_was_typed_and_leaves_an_unfinished_chunk(board: str) -> None:
    with terminal("repl", "--no-agent", "--port", board) as shown:
        shown.until("Ctrl-] leaves, %help says more.")
        shown.type("\nx = 'wrong")
        shown.until(here="> x = 'wrong")
        shown.type("\x03")
        shown.until(here="> ")
        shown.type("if true then\nx = 'wrong'")
        shown.until("> if true then", here=">> x = 'wrong'")
        shown.type("\x03")
        shown.until("> if true then", here="> ")
        shown.type("=x\n")
        shown.until("> =x", "nil", here="> ")


def test_files_without_the_agent(board: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 3
    (tmp_path / "data.bin").write_bytes(content)
    with terminal("repl", "--no-agent", "--port", board, folder=tmp_path) as shown:
        shown.until("Ctrl-] leaves, %help says more.")
        # The board may be starting yet, or may have said its prompt before anybody listened.
        shown.type("\n")
        shown.until(here="> ")
        shown.type("=6*7\n")
        shown.until("42", here="> ")
        shown.type("%pux\x7ft data.bin\n")
        shown.until("> %put data.bin", "data.bin: 768 bytes", here="> ")
        shown.type("=file.stat('data.bin').size\n")
        shown.until("> =file.stat('data.bin').size", "768", here="> ")
        shown.type("%get data.bin copy\n")
        shown.until("copy: 768 bytes", here="> ")
        shown.type("%get nothing\n")
        shown.until("The board has no file nothing. Look what it has: =file.list().", here="> ")
        shown.type("%run data.bin\n")
        shown.until("%run needs the agent. Store the file with %put, and type dofile at the prompt.", here="> ")
        shown.type("%leave\n")
        assert shown.end() == 0
    assert (tmp_path / "copy").read_bytes() == content


def test_where_the_agent_cannot_run_it_says_why_and_keys_go_through() -> None:
    with answering(MicroPython()) as path, terminal("repl", "--port", path) as shown:
        shown.until("The agent cannot run here: keys go to the board as they are.", "Ctrl-] leaves, %help says more.")
        assert any("MicroPython answers here" in line for line in shown.lines)
        shown.type("\n")
        shown.until(here=">>> ")
        shown.type("\x1d")
        assert shown.end() == 0


def test_a_firmware_without_what_the_agent_needs() -> None:
    with terminal("repl", "--port", "virtual:?cpu=0&baud_pacing=0&modules=file,node") as shown:
        shown.until("The agent cannot run here: keys go to the board as they are.", "Ctrl-] leaves, %help says more.")
        shown.type("\n=1+1\n")
        shown.until("> =1+1", "2", here="> ")
        shown.type("\x1d")
        assert shown.end() == 0


def test_a_port_that_goes_away_is_one_sentence(tmp_path: Path) -> None:
    master = Master()
    with terminal("repl", "--no-agent", "--port", master.path) as shown:
        shown.until("Ctrl-] leaves, %help says more.")
        shown.type("x")
        assert asyncio.run(master.hear(1)) == b"x"
        master.close()
        assert shown.end() == 1
        assert any("went away while it was open" in line for line in shown.lines)


def test_a_signal_ends_it_and_gives_the_terminal_back(board: str) -> None:
    with terminal("repl", "--no-agent", "--port", board) as shown:
        shown.until("Ctrl-] leaves, %help says more.")
        shown.type("\n")
        shown.until(here="> ")
        raw = termios.tcgetattr(shown.child.child_fd)[3] & termios.ICANON
        shown.child.kill(signal.SIGHUP)
        while "ended by SIGHUP" not in shown.bytes:
            shown.draw()
        assert not raw and termios.tcgetattr(shown.child.child_fd)[3] & termios.ICANON
        assert shown.end() == 129
