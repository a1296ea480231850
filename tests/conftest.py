"""Options of the whole test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--board", default="virtual:", metavar="URL", help="port of the board that tests/hil runs on")
