"""The plugin of pytest: tests that ask for a board, and get a clean one (docs/guides/testing.md).

    async def test_it_answers(board):
        assert await board.eval("1+1") == 2

    pytest --board /dev/ttyUSB0

In a run that uses no board nothing but this module and the names of the fixtures is loaded.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from bridge.pytest_plugin import clash, ntest
from bridge.pytest_plugin.asking import uses_boards
from bridge.pytest_plugin.fixtures import board, board_address, boards, host_address, rack, sync_board, wifi
from bridge.pytest_plugin.keys import KEY
from bridge.pytest_plugin.peer_fixtures import (
    peer_dns,
    peer_echo,
    peer_half_closing,
    peer_resetting,
    peer_slow,
    peer_tls,
    peer_udp,
)

if TYPE_CHECKING:
    from bridge.pytest_plugin.late import LateReports

__all__ = [
    "board", "board_address", "boards", "host_address", "peer_dns", "peer_echo", "peer_half_closing", "peer_resetting",
    "peer_slow", "peer_tls", "peer_udp", "rack", "sync_board", "wifi",
]  # fmt: skip

#: How the variables of the environment begin that name a network for tests.
_WIFI = "NODEMCU_WIFI_"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line and of the configuration file."""
    try:
        _add_options(parser)
    except clash.ERRORS as error:  # of a plugin that was loaded before
        raise clash.explained(error) from error


def _add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup(clash.GROUP, "NodeMCU boards")
    group.addoption(
        "--board", action="append", default=[], metavar="URL", help="port of a board for tests; may be given again"
    )
    group.addoption("--rack", metavar="FILE", help="rack file with the boards for tests")
    group.addoption(
        "--labgrid", metavar="ENV", help="environment file or coordinator of labgrid with the boards for tests"
    )
    group.addoption("--rack-strict", action="store_true", help="fail tests that no board fits, instead of skipping")
    group.addoption(
        "--board-wait", type=float, default=600.0, metavar="SECONDS", help="how long a test waits for a board (600)"
    )
    group.addoption("--rack-html", metavar="FILE", help="write a page that shows the run: boards, tests, whose fault")
    group.addoption("--rack-json", metavar="FILE", help="write the same for programs (schemas/rack-report.json)")
    ntest.add_options(parser)
    parser.addini("nodemcu_board", "ports of boards, where neither --board nor --rack is given", "linelist")
    parser.addini("nodemcu_heap_slack", "bytes of a board's heap that a test may leave in use (256)")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, object, object]:
    """An option of theirs may have the name of one that is above."""
    try:
        result = yield
    except clash.ERRORS as error:
        raise clash.explained(error) from error
    clash.check(parser)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and be ready for reports of tests on boards."""
    config.addinivalue_line(
        "markers",
        "board(modules=[], tags=[], flash=0, place=None, lua=None, restarts=False): what a test needs of its board, "
        "and whether it may make it restart",
    )
    config.pluginmanager.register(ntest.Collecting(config), "nodemcu_ntest")
    if any(name.startswith(_WIFI) for name in os.environ):
        from bridge.pytest_plugin.discreet_reports import register as register_discretion

        register_discretion(config)
    config.pluginmanager.register(_OnTheLoop(), "nodemcu_loop")
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(_Reports(config), "nodemcu_reports")
    if config.getoption("rack_html") or config.getoption("rack_json"):
        from bridge.pytest_plugin.html import register

        register(config)
    if config.getoption("board") or config.getoption("rack") or config.getoption("labgrid"):
        from bridge.pytest_plugin.start import rack_of

        rack_of(config)


class _OnTheLoop:
    """Coroutines of tests on boards, and of their fixtures, run on the loop of the boards.

    Registered when all plugins are there, so that it comes before those that have loops of their own.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj) or not uses_boards(item):
            return (yield)
        from bridge.pytest_plugin.coroutines import on_the_loop, without_await

        function = item.obj
        # A plugin with items of its own kind wants a coroutine, to run it on its loop.
        own_kind = type(item).runtest is not pytest.Function.runtest
        item.obj = on_the_loop(function) if own_kind else without_await(function)
        try:
            return (yield)
        finally:
            item.obj = function

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        function = fixturedef.func
        item = getattr(request, "_pyfuncitem", None)
        if (
            not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function))
            or not isinstance(item, pytest.Function)
            or not uses_boards(item)
        ):
            return (yield)
        from bridge.pytest_plugin.coroutines import of_instance, without_await

        fixturedef.func = without_await(of_instance(function, request.instance))  # type: ignore[misc]
        try:
            return (yield)
        finally:
            fixturedef.func = function  # type: ignore[misc]


class _Reports:
    """Waits, in the process that writes the reports, for the first one of a test on a board."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._late: LateReports | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        usage = getattr(report, "nodemcu_usage", None)
        if usage is not None:  # of a worker of pytest-xdist
            raise pytest.UsageError(usage)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = getattr(report, "nodemcu", None)
        if facts is not None:
            self._made().look(report, facts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        for late in getattr(node, "workeroutput", {}).get("nodemcu_late", ()):
            self._made().make(late, node)

    def late(self, late: dict[str, Any]) -> None:
        """A late report that no other report brings with it."""
        self._made().make(late)

    def summary(self, terminal: pytest.TerminalReporter) -> None:
        """Name the boards that were charged with something."""
        if self._late is not None:
            self._late.summary(terminal)

    def _made(self) -> LateReports:
        if self._late is None:
            from bridge.pytest_plugin.late import LateReports

            self._late = LateReports(self._config)
        return self._late


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A run that is followed by another one."""
    again = str(report.outcome) == "rerun"
    return ("rerun", "R", ("RERUN", {"yellow": True})) if again else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Tests on boards may be run again, and are charged with what they left behind."""
    if not uses_boards(item):
        return None
    from bridge.pytest_plugin.protocol import run

    return run(item, nextitem)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What is wrong with the options is said before the first test, if there is a test on a board."""
    config = session.config
    if config.option.collectonly or not any(map(uses_boards, session.items)):
        return
    from bridge.pytest_plugin.start import session_of

    try:
        session_of(config)
    except pytest.UsageError as error:
        if not hasattr(config, "workerinput"):
            raise
        # Who hands the tests out knows their names only; nothing but such a report goes there at this time.
        report = pytest.CollectReport("", "failed", str(error), [])
        report.nodemcu_usage = str(error)  # type: ignore[attr-defined]
        config.hook.pytest_collectreport(report=report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the boards back, and charge tests with what came after the last one."""
    config = session.config
    boards = config.stash.get(KEY, None)
    if boards is None:
        return
    from bridge.pytest_plugin.ending import end

    end(session, boards)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the boards that were charged with something."""
    reports = config.pluginmanager.getplugin("nodemcu_reports")
    if reports is not None:
        reports.summary(terminalreporter)
