"""What `repl` refuses; what it does is tested in tests/terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.invoke import BOARD, invoke


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", BOARD], 2, "cannot live on the virtual clock"),
        (["--port", "virtual:?colour=red"], 2, "colour is not an option"),
        (["--port", "/dev/nosuchport"], 1, "There is no port /dev/nosuchport"),
        (["--port", BOARD, "--no-agent"], 2, "--no-agent needs a terminal"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found, out, err = invoke(capfd, "repl", *arguments)
    assert (found, out) == (code, "") and said in err and err.count("nodemcu-bridge: ") == 1


def test_a_closed_standard_input_is_one_sentence(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as Python has it
    code, out, err = invoke(capfd, "repl", "--port", "virtual:")
    assert (code, out) == (2, "") and "A terminal needs standard input and output" in err


def test_output_that_nobody_reads_ends_it_without_a_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli", "repl", "--port", "virtual:?cpu=0"], input=b"print(1)\n" * 20,
            stdout=write, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")
