"""Reports of pytest without the key of the network that tests join.

Loaded only in a run that has such a key, and then for all its tests: a test needs no board to show a key. What is
blanked is the key; source lines, parameters and other values of a user's tests stay as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from bridge.errors import UsageError
from bridge.pytest_plugin.credentials import find_wifi
from bridge.pytest_plugin.discretion import Discretion

#: Attributes of reports that are no texts: what was collected.
_OBJECTS = frozenset({"result", "node"})


def known_secrets() -> tuple[str, ...]:
    """The key of the network that tests join, if there is one that can be used."""
    with contextlib.suppress(UsageError):  # which is told to who asks for the network
        wifi = find_wifi()
        return () if wifi is None else wifi.secrets
    return ()


def register(config: pytest.Config) -> None:
    """Be ready, if there is a key."""
    if secrets := known_secrets():
        config.pluginmanager.register(DiscreetReports(Discretion(secrets)), "nodemcu_discreet_reports")


class DiscreetReports:
    """Blanks secrets where reports are made, before anything shows them, in workers of pytest-xdist as well.

    Args:
        discretion: knows them.
    """

    def __init__(self, discretion: Discretion) -> None:
        self._blank = discretion.users_text

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Names of tests that are made of parameters."""
        item.name = self._blank(item.name)
        for name in ("_id", "_nodeid"):  # an object of its own since pytest 9.2
            old = getattr(item, name, None)
            if old is not None and (new := self._blank(str(old))) != str(old):
                setattr(item, name, new if isinstance(old, str) else type(old).parse(new))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """All that a report says."""
        report = yield
        self._blank_in(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Why a file could not be read."""
        report = yield
        self._blank_in(report)
        return report

    def _blank_in(self, holder: object) -> None:
        for name, value in vars(holder).items():
            if name not in _OBJECTS:
                new = self._blanked(value)
                if new is not value:
                    setattr(holder, name, new)

    def _blanked(self, value: Any) -> Any:
        """The same without secrets: the very same if there are none in it."""
        match value:
            case str():
                return self._blank(value)
            case dict():
                pairs = [(self._blanked(key), self._blanked(each)) for key, each in value.items()]
                same = all(a is c and b is d for (a, b), (c, d) in zip(pairs, value.items(), strict=True))
                return value if same else dict(pairs)
            case list() | tuple():
                items = [self._blanked(each) for each in value]
                if all(new is old for new, old in zip(items, value, strict=True)):
                    return value
                return items if isinstance(value, list) else tuple(items)
            case TerminalRepr():
                self._blank_in(value)
        return value
