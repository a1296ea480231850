"""A plugin for tests/hil: its board is one that is leased from labgrid for the run. `-p tests.labgrid_place.leased_port`"""

from __future__ import annotations

import pytest

from bridge.labgrid_place.rack import open_rack
from bridge.portal import portal


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--leased-from", metavar="ENV", help="environment file of labgrid, or a coordinator")


def pytest_configure(config: pytest.Config) -> None:
    rack = open_rack(config.getoption("--leased-from"))
    lease = portal().call(rack.claim(timeout=60))
    config.option.board = lease.url
    config.add_cleanup(lambda: portal().call(lease.release()))
