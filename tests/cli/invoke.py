"""Runs the command line in this process."""

from __future__ import annotations

import pytest

from bridge.cli import main

#: A board that costs a test little: its own clock, and a memory network.
BOARD = "virtual:?clock=virtual"


def invoke(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `nodemcu-bridge`."""
    code = main(arguments)
    out, err = capfd.readouterr()
    return code, out, err
