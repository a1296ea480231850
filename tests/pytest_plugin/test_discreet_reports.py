"""Whole runs with the key of a Wi-Fi in all that tests and boards say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pytest_plugin.boards import FAST, noted
from tests.pytest_plugin.test_credentials import KEY

TESTS = """
import asyncio
import os
import pytest

KEY = os.environ["NODEMCU_WIFI_PASSWORD"]

async def test_errs(board):
    await board.exec("local what = ... tmr.create():alarm(1, 0, function() error(what) end)", f"no {KEY} here")
    await asyncio.sleep(0.05)

async def test_raises_in_a_function_that_lua_calls(board):
    called = asyncio.Event()
    def wrong():
        called.set()
        raise ValueError(KEY)
    await board.exec("node.task.post((...))", lambda *_: wrong())
    await called.wait()

async def test_leaves_a_timer(board):
    await board.exec("local what = ... tmr.create():alarm(150, 0, function() error(what) end)", KEY)

def test_on_no_board():
    import time
    time.sleep(0.4)

async def test_comes_after_it(board):
    pass

@pytest.mark.parametrize("key", [KEY, KEY + "-2"])
def test_its_name(key, record_property, tmp_path):
    record_property(key, [key])
    print("it is", repr(key))
    expected = {"key": "another"}
    assert {"key": key} == expected

@pytest.mark.parametrize("number", [pytest.param(1, id=f"id-{KEY}")])
async def test_its_name_on_a_board(board, number):
    assert await board.eval("...", KEY) == "another"

def test_is_left_out():
    pytest.skip(f"without {KEY}")

def test_is_expected_to_fail():
    pytest.xfail(KEY)

@pytest.fixture
def broken():
    raise RuntimeError(KEY)

def test_has_a_fixture(broken):
    pass

def test_has_none(none):
    pass
"""


@pytest.mark.parametrize("workers", [pytest.param((), marks=pytest.mark.nightly), ("-n", "1")])
def test_nothing_that_a_run_writes_has_the_key(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NODEMCU_WIFI_SSID", "workshop")
    monkeypatch.setenv("NODEMCU_WIFI_PASSWORD", KEY)
    pytester.makepyfile(test_it=TESTS, test_unread="import os\nraise RuntimeError(os.environ['NODEMCU_WIFI_PASSWORD'])")
    files = ("junit.xml", "run.html", "run.json")
    options = ("--junitxml=junit.xml", "-o", "junit_logging=all", "--rack-html=run.html", "--rack-json=run.json")
    result, reports = noted(
        pytester, "--board", FAST, "-v", "-rA", "--showlocals", "--continue-on-collection-errors",
        "-o", "nodemcu_heap_slack=1000", *options, *workers,
    )  # fmt: skip
    text = result.stdout.str() + result.stderr.str()
    stars = "*" * len(KEY)
    assert f"test_its_name[{stars}-2]" in text and f"test_its_name_on_a_board[id-{stars}]" in text
    assert f"no {stars} here" in text and f"ValueError: {stars}" in text
    assert reports.outcomes("test_leaves_a_timer") == ["passed", "failed"]
    assert reports.outcomes("test_comes_after_it") == ["passed"]
    for name, written in [("the terminal", text), *((name, (pytester.path / name).read_text()) for name in files)]:
        assert KEY not in written and "hunter" not in written, name
    assert KEY not in (pytester.path / "reports.jsonl").read_text()
    if not workers:  # who hands tests out asks the others for their names
        shown, _ = noted(pytester, "--board", FAST, "--collect-only", "-q")
        assert KEY not in shown.stdout.str()


def test_a_key_in_a_file_is_known_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "wifi"
    path.write_text(f"workshop\n{KEY}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NODEMCU_WIFI_FILE", str(path))
    pytester.makepyfile("def test_it():\n    import os\n    assert 0, open(os.environ['NODEMCU_WIFI_FILE']).read()")
    result, _ = noted(pytester)
    result.assert_outcomes(failed=1)
    assert KEY not in result.stdout.str() and "workshop" in result.stdout.str()
