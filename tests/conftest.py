"""Options of the whole test suite."""

from __future__ import annotations

import hypothesis
import pytest

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("bridge", deadline=None)
hypothesis.settings.load_profile("bridge")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--board", default="virtual:", metavar="URL", help="port of the board that tests/hil runs on")
