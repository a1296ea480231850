"""A rack that is watched, on a terminal and without one, while its boards are leased and given back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from bridge.child_python import module_command, module_environment
from bridge.portal import portal
from bridge.rack.activity import tell_activity
from bridge.rack.load import load_rack
from bridge.rack.needs import Needs
from bridge.rack.rack import Rack
from tests.cli.invoke import invoke
from tests.rack.witness import witness
from tests.terminal.screen import PATIENCE, Terminal, terminal


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A rack file with two places; something listens on their ports."""
    with witness() as one, witness() as other:
        path = tmp_path / "rack.yaml"
        ports = [f"socket://127.0.0.1:{each.port}" for each in (one, other)]
        places = "".join(f"  - {{name: shelf-{n}, port: '{port}'}}\n" for n, port in enumerate(ports, 1))
        path.write_text(f"version: 1\nstate: {tmp_path / 'state'}\nplaces:\n{places}")
        yield path


class Holder:
    """This process, which leases boards of the rack."""

    def __init__(self, file: Path) -> None:
        self._rack = Rack(load_rack(file))

    def claim(self, place: str) -> None:
        self._lease = portal().call(self._rack.claim(Needs(place=place), purpose="a look"))

    def tell(self, doing: str | None, heap: int) -> None:
        tell_activity(self._rack.folder, self._lease.place, doing, heap)

    def release(self) -> None:
        portal().call(self._lease.release())


def until(shown: Terminal, *words: str) -> str:
    """Wait until a line of the screen has all these words; the line."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in shown.view:
            if all(word in line for word in words):
                return line
        shown.draw()
    raise AssertionError(f"{words} did not come; there is\n" + "\n".join(shown.view))


def test_a_terminal_shows_who_holds_what_and_what_runs(file: Path) -> None:
    holder = Holder(file)
    with terminal("rack", "watch", "--rack", str(file), "--every", "600") as shown:
        until(shown, "rack.yaml: 2 places, 2 free")
        assert until(shown, "shelf-1").split() == ["shelf-1", "free"]
        holder.claim("shelf-2")
        until(shown, "shelf-2", "held", f"PID {os.getpid()} ", "a look")
        holder.tell("tests/a.py::test_of_the_moment", 41_234)
        until(shown, "shelf-2", "held", "test_of_the_moment", "41 234")
        until(shown, "rack.yaml: 2 places, 1 free, 1 held")
        holder.tell(None, 40_000)
        assert "test_of_the_moment" not in until(shown, "shelf-2", "40 000")
        holder.release()
        until(shown, "rack.yaml: 2 places, 2 free")
        shown.child.sendintr()
        assert shown.end() == 130
    # The screen of before comes back, and the cursor.
    assert shown.bytes.rindex("\x1b[?1049l") > shown.bytes.rindex("\x1b[?1049h")
    assert shown.bytes.rindex("\x1b[?25h") > shown.bytes.rindex("\x1b[?25l")


def heard(output: IO[str], *words: str) -> str:
    for line in output:
        if all(word in line for word in words):
            return line
    raise AssertionError(f"{words} did not come")


def test_without_a_terminal_each_change_is_a_line(file: Path) -> None:
    holder = Holder(file)
    command = [*module_command("bridge.cli"), "rack", "watch", "--rack", str(file), "--every", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=module_environment()) as process:
        assert process.stdout is not None
        heard(process.stdout, "shelf-1 free")
        heard(process.stdout, "shelf-2 free")
        holder.claim("shelf-1")
        heard(process.stdout, "shelf-1 held, held by ", "a look")
        holder.tell("tests/a.py::test_b", 41_234)
        heard(process.stdout, "shelf-1 held, ", "tests/a.py::test_b, 41234 bytes free")
        holder.release()
        heard(process.stdout, "shelf-1 free")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_once_prints_one_table(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "rack", "watch", "--rack", str(file), "--once")
    title, names, *rows = out.splitlines()
    assert (code, err, title.strip()) == (0, "", "rack.yaml: 2 places, 2 free")
    assert [row.split() for row in rows] == [["shelf-1", "free"], ["shelf-2", "free"]] and names.startswith("place")


def test_a_file_that_is_none_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "rack", "watch", "--rack", str(tmp_path / "absent.yaml"), "--once")
    assert code == 2 and out == "" and "absent.yaml cannot be read" in err and len(err.splitlines()) == 1
