"""pytest plugin: tests of boards."""

from __future__ import annotations

import pytest

from bridge.pytest_plugin import ntest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the plugin's options."""
    ntest.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Makes the plugin's parts part of the run."""
    config.addinivalue_line("markers", "board(modules, tags, flash): what a test asks of its board")
    config.pluginmanager.register(ntest.Collecting(config), "nodemcu_ntest")
