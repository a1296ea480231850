"""A project that has options of the same names."""

from __future__ import annotations

import pytest

from bridge.pytest_plugin import clash
from tests.conftest import INSTALLED
from tests.pytest_plugin.boards import OPTIONS, run

CONFTEST = "\n\ndef pytest_addoption(parser):\n    {}.addoption({})\n"


@pytest.mark.parametrize(
    ("group", "arguments"),
    [
        ("parser", "'--rack', help='where the servers stand'"),
        ("parser", "'--rack', dest='servers'"),
        ("parser.getgroup('nodemcu')", "'--rack'"),
    ],
)
def test_is_told_in_a_sentence(pytester: pytest.Pytester, group: str, arguments: str) -> None:
    pytester.makeconftest(CONFTEST.format(group, arguments))
    pytester.makepyfile("def test_it(request): assert request.config.getoption('--rack') is None")
    result = run(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    [line] = [line for line in result.stderr.lines if line]
    assert "conftest.py" in line and "adds the option --rack, which is one of the plugin nodemcu_bridge. Give " in line
    assert "-p no:nodemcu_bridge" in line
    if INSTALLED:
        result = pytester.runpytest_subprocess(*OPTIONS, "-p", "no:nodemcu_bridge")
        result.assert_outcomes(passed=1)


def test_of_another_plugin_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(earlier="def pytest_addoption(parser): parser.addoption('--board')")
    result = pytester.runpytest_subprocess("-p", "earlier", *OPTIONS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    [line] = [line for line in result.stderr.lines if line]
    assert "A conftest.py or another plugin adds the option --board" in line


def test_what_else_is_wrong_with_options_stays_as_it_is(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('-b')\n")
    result = run(pytester)
    assert "lowercase short options are reserved" in result.stderr.str()


def test_all_options_are_known(pytestconfig: pytest.Config) -> None:
    group = pytestconfig._parser.getgroup(clash.GROUP)
    assert {name for option in group.options for name in option.names()} == clash.OPTIONS
