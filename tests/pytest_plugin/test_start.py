"""What is wrong with the options is one sentence, before the first test."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.boards import FAST, run
from tests.pytest_plugin.test_credentials import KEY
from tests.variants import by_night


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "ERROR: No board is named for these tests. Give --board URL, --rack FILE or --labgrid ENV."),
        (["--board", "virtual:?colour=red"], "ERROR: virtual:[?]colour=red: colour is not an option*"),
        (["--board", "ftp://x"], "ERROR: ftp://x is not a kind of port this program knows*"),
        (["--rack", "absent.yaml"], "ERROR: absent.yaml cannot be read (No such file or directory)*"),
        (["--rack", "twice.yaml"], "ERROR: twice.yaml: a and b are on one port, rfc2217://localhost:4001.*"),
        (["--rack", "twice.yaml", "--board", FAST], "ERROR: Give --board or --rack, not both."),
        (
            ["--board", "rfc2217://127.0.0.1:1", "--board", "rfc2217://localhost:1"],
            "ERROR: --board names one port twice: rfc2217://127.0.0.1:1 and rfc2217://localhost:1.",
        ),
        (
            ["--board", "rfc2217://127.0.0.1:1", "--board", "rfc2217://127.0.0.1:1"],
            "ERROR: --board names one port twice: rfc2217://127.0.0.1:1.",
        ),
        (["--board", FAST, "--board-wait", "soon"], "*argument --board-wait: invalid float value: 'soon'"),
        (["--board", FAST, "--board-wait", "-1"], "ERROR: --board-wait is a number of seconds, not -1."),
        (
            ["--board", FAST, "-o", "nodemcu_heap_slack=much"],
            "ERROR: nodemcu_heap_slack is a number of bytes, not 'much'.",
        ),
    ],
)
def test_mistakes(pytester: pytest.Pytester, options: list[str], words: str) -> None:
    pytester.makepyfile("async def test_it(board): pass")
    (pytester.path / "twice.yaml").write_text(
        "version: 1\nplaces:\n"
        "- {name: a, port: 'rfc2217://127.0.0.1:4001'}\n- {name: b, port: 'rfc2217://localhost:4001'}\n"
    )
    result = run(pytester, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("workers", by_night([(), ("-n", "2"), ("-n", "2", "-x")], but=[()]))
def test_what_only_tests_on_boards_need_is_told_before_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NODEMCU_WIFI_PASSWORD", KEY)
    monkeypatch.delenv("NODEMCU_WIFI_SSID", raising=False)
    pytester.makepyfile("async def test_it(board): pass\ndef test_of_none(): pass")
    result = run(pytester, "--board", FAST, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: NODEMCU_WIFI_PASSWORD is set, and NODEMCU_WIFI_SSID is not. Set both."])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    result = run(pytester, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: No board is named for these tests. Give --board URL, *"])
    assert "passed" not in result.stdout.str() and "Traceback" not in result.stdout.str() + result.stderr.str()
    run(pytester, *workers, "-k", "of_none").assert_outcomes(passed=1)


def test_without_a_test_on_a_board_nothing_is_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    run(pytester).assert_outcomes(passed=1)


def test_the_configuration_file_may_name_boards(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("async def test_it(board): assert await board.eval('1') == 1")
    pytester.makeini(f"[pytest]\nnodemcu_board =\n    {FAST}\n")
    run(pytester).assert_outcomes(passed=1)
