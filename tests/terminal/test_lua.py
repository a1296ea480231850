"""`nodemcu-bridge repl` in a pseudo-terminal, before a screen, on a virtual board."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.board_process import announced, board_process
from tests.images import image
from tests.terminal.screen import Terminal, terminal

BUSY = "[y resets, Ctrl-] leaves, any other key waits on] "
RESTARTED = "The board restarted. Sockets, timers and Lua variables of the earlier boot are gone: make them again."
#: A board whose CPU and line take no time.
BOARD = "virtual:?cpu=0&baud_pacing=0"


@contextmanager
def repl(folder: Path, *arguments: str, port: str = BOARD) -> Iterator[Terminal]:
    with terminal("repl", "--port", port, "--history", str(folder / "history"), *arguments, folder=folder) as shown:
        shown.until(here="> ")
        yield shown


def test_prompt_values_multi_line_function_error_and_leaving(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        assert shown.lines[0].startswith(f"NodeMCU with Lua 5.1 on {BOARD}, ")
        shown.type("print('hello')\n")
        shown.until("> print('hello')", "hello", here="> ")
        shown.type("6*7, nil, 'x'\n")
        shown.until("> 6*7, nil, 'x'", "42      nil     x", here="> ")
        shown.type("=node.heap() > 0\n")
        shown.until("> =node.heap() > 0", "true", here="> ")
        shown.type("function twice(n)\n")
        shown.until("> function twice(n)", here=">> ")
        shown.type("  return n * 2\nend\n")
        shown.until("> function twice(n)", ">>   return n * 2", ">> end", here="> ")
        shown.type("twice(21)\n")
        shown.until("> twice(21)", "42", here="> ")
        shown.type("error('my own words')\n")
        shown.until("stdin:1: my own words", here="> ")
        shown.type("this is no Lua\n")
        shown.until("> this is no Lua", "stdin:1: '=' expected near 'is'", here="> ")
        shown.type("x = 'still there'\nx\n")
        shown.until("still there", here="> ")
        shown.type("\x1d")
        assert shown.end() == 0


def test_what_was_typed_comes_back_also_after_leaving(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("print(1)\nfor i = 1, 2 do\nprint('i', i)\nend\n")
        shown.until("i       2", here="> ")
        shown.type("\x1b[A")  # up: all three lines
        shown.until("> for i = 1, 2 do", "print('i', i)", "end", here="end")
        shown.type("\n")
        shown.until("end", "i       1", "i       2", here="> ")
        shown.type("\x04")
        assert shown.end() == 0
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o600
    with repl(tmp_path) as shown:
        shown.type("\x12int(1")  # Ctrl-R searches
        shown.until("(reverse-i-search)`int(1': print(1)")
        shown.type("\n\n")
        shown.until("> print(1)", "1", here="> ")


def test_ctrl_c_drops_what_is_typed_and_an_unfinished_chunk(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("y = 'wrong'\x03")
        shown.until("> y = 'wrong'", here="> ")
        shown.type("if true then\n")
        shown.until("> if true then", here=">> ")
        shown.type("y = 'wrong'\x03")
        shown.until(">> y = 'wrong'", here="> ")
        shown.type("=y\n")
        shown.until("> =y", "nil", here="> ")


def test_what_the_board_prints_later_stands_above_the_line_that_is_edited(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("function later(ms, f) tmr.create():alarm(ms, 0, f) end\n")
        shown.type("later(700, function() print('later') uart.write(0, 'half') end)\n")
        shown.until("> later(700, function() print('later') uart.write(0, 'half') end)", here="> ")
        shown.type("print('edit")
        shown.until("later", "half", here="> print('edit")
        shown.type("ed')\n")
        shown.until("later", "half", "> print('edited')", "edited", here="> ")


def test_lines_that_are_pasted_are_one_chunk(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("\x1b[200~function pasted()\n  return 'from the clipboard'\nend\x1b[201~")
        shown.until("> function pasted()", "  return 'from the clipboard'", here="end")
        shown.type("\npasted()\n")
        shown.until("> pasted()", "from the clipboard", here="> ")


def test_a_board_that_is_unplugged_while_a_line_is_edited_is_one_sentence(tmp_path: Path) -> None:
    with board_process("--pty", "auto", "--cpu", "0", "--no-baud-pacing") as process:
        path = announced(process)[1]
        with repl(tmp_path, port=path) as shown:
            shown.type("print('ed")
            shown.until(here="> print('ed")
            process.send_signal(signal.SIGUSR2)
            assert shown.end() == 1
            assert any(f"nodemcu-bridge: {path} went away while it was open" in line for line in shown.lines)
        assert announced(process)[0] == "PTY", "it is plugged in again"


def test_a_second_program_is_told_who_has_the_port(tmp_path: Path) -> None:
    with board_process("--pty", "auto", "--cpu", "0", "--no-baud-pacing") as process:
        path = announced(process)[1]
        with repl(tmp_path, port=path) as shown:
            (tmp_path / "firmware.bin").write_bytes(image())
            for arguments in (["info"], ["flash", str(tmp_path / "firmware.bin")], ["repl"]):
                command = [sys.executable, "-m", "bridge.cli", *arguments, "--port", path]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                assert done.returncode == 1
                assert f"{path} is in use by PID {shown.child.pid} (nodemcu-bridge repl) since " in done.stderr
                assert done.stderr.endswith(". Wait for it or stop it.\n")
            shown.type("'still here'\n")
            shown.until("still here", here="> ")
            shown.type("\x1d")
            assert shown.end() == 0
        done = subprocess.run([sys.executable, "-m", "bridge.cli", "info", "--port", path], timeout=60)
        assert done.returncode == 0


def test_a_busy_board_is_asked_about_and_reset(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("v = 1\n")
        shown.until("> v = 1", here="> ")
        shown.type("while true do tmr.wdclr() end\n\x03")
        shown.until(here=BUSY)
        shown.type("n")
        shown.until(f"{BUSY}n", here="")
        shown.type("\x03y")
        shown.until(f"{BUSY}n", f"{BUSY}y", RESTARTED, here="> ")
        shown.type("=v, 'again'\n")
        shown.until("nil     again", here="> ")


def test_a_board_that_stays_busy_is_waited_for_and_can_be_reset_by_a_command(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("while true do tmr.wdclr() end\n")
        shown.until("> while true do tmr.wdclr() end", here="> ")
        assert any("has not answered for 6 s" in line for line in shown.lines)
        shown.type("%reset\n")
        shown.until("> %reset", "Waiting for the board to come back.", here="> ")
        shown.type("1+1\n")
        shown.until("> 1+1", "2", here="> ")


def test_leaving_a_busy_board(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("while true do tmr.wdclr() end\n\x03")
        shown.until(here=BUSY)
        shown.type("\x1d")
        assert shown.end() == 0


def test_files_are_put_run_and_fetched(tmp_path: Path) -> None:
    (tmp_path / "my program.lua").write_text("print('from', ...) return 'a file'\n")
    with repl(tmp_path) as shown:
        shown.type("%put 'my program.lua' program.lua\n")
        shown.until("program.lua: 35 bytes", here="> ")
        shown.type("dofile('program.lua')\n")
        shown.until("from", "a file", here="> ")
        shown.type("%get program.lua copy\n")
        shown.until("copy: 35 bytes", here="> ")
        shown.type("%run my\\ program.lua\n")
        shown.until("> %run my\\ program.lua", "from", "a file", here="> ")
        shown.type("%get program.lua copy\n")
        shown.until("copy is there already. Name another file: %get NAME FILE.", here="> ")
        shown.type("%reset\n=1\n%help\n")
        shown.until("> =1", "1", "> %help", here="> ")
        assert any(line.startswith("%put FILE [NAME]") for line in shown.lines)
        shown.type("%leave\n")
        assert shown.end() == 0
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "my program.lua").read_bytes()


def test_a_signal_at_the_prompt_ends_it_and_gives_the_terminal_back(tmp_path: Path) -> None:
    with repl(tmp_path) as shown:
        shown.type("half a line")
        shown.until("> half a line")
        shown.child.kill(signal.SIGTERM)
        assert shown.end() == 143
        assert "nodemcu-bridge: ended by SIGTERM" in shown.lines
        assert shown.bytes.rfind("\x1b[?25h") >= shown.bytes.rfind("\x1b[?25l")
        assert "Traceback" not in "".join(shown.lines)
