"""docs/net-coverage.md is what the rows say, and the checker notices what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.net_coverage import (
    PAGE,
    ROOT,
    Coverage,
    Row,
    Section,
    differences,
    entries_of,
    faults,
    read_coverage,
    render,
)

TESTS = """
import pytest

def connect(board):
    return board.net.createConnection()

def test_it(board):
    connect(board)

@pytest.mark.nightly
def test_by_night(board):
    connect(board)

def test_another():
    assert True
"""
ROW = Row("net.createConnection()", "await board.net.createConnection()", ("tests/test_it.py::test_it",))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    return tmp_path


def coverage(*rows: Row, entries: tuple[str, ...] = ("net.createConnection()",)) -> Coverage:
    return Coverage({"net": entries}, (Section("Title", "About.", rows),))


def test_every_row_has_its_test_and_the_page_is_written() -> None:
    assert faults(read_coverage()) == []
    assert PAGE.read_text(encoding="utf-8") == render(read_coverage()), "run python scripts/net_coverage.py"


def test_a_good_row_is_good(checkout: Path) -> None:
    assert faults(coverage(ROW), checkout) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (replace(ROW, tests=()), "no test proves it"),
        (replace(ROW, python=" "), "says nothing of Python"),
        (replace(ROW, tests=("tests/test_it.py::test_gone",)), "there is no test tests/test_it.py::test_gone"),
        (replace(ROW, tests=("tests/gone.py::test_it",)), "there is no test"),
        (replace(ROW, tests=("tests/test_it.py::connect",)), "there is no test"),
        (replace(ROW, tests=("tests/test_it.py::test_by_night",)), "is not run by the test command"),
        (replace(ROW, tests=("tests/test_it.py::test_another",)), "holds no .createConnection"),
    ],
)
def test_a_bad_row_is_named(checkout: Path, wrong: Row, fault: str) -> None:
    (found,) = faults(coverage(wrong), checkout)
    assert fault in found and found.startswith("net.createConnection(): ")


def test_entries_without_a_row_and_rows_that_come_twice_are_named(checkout: Path) -> None:
    assert faults(coverage(ROW, entries=("net.createConnection()", "net.TCP")), checkout) == ["net.TCP: has no row"]
    assert faults(coverage(ROW, ROW), checkout) == ["net.createConnection(): has two rows"]


def test_an_example_must_be_there_and_be_run(checkout: Path) -> None:
    row = Row("net.createConnection() example 1", "examples/make.py", ROW.tests)
    assert faults(coverage(ROW, row), checkout) == [
        "net.createConnection() example 1: there is no examples/make.py",
        "net.createConnection() example 1: tests/test_it.py::test_it holds no make.py",
    ]


@pytest.mark.parametrize(
    ("entry", "needle"),
    [
        ("net.TCP", ".TCP"),
        ("net.socket:ttl(ttl)", ".ttl"),
        ('net.socket:on() event "sent"', '"sent"'),
        ("net.socket:on() example 2", "net_socket_buffer.py"),
        ("tls.cert.verify(pemdata[, pemdata])", ".verify"),
        ("tls.setDebug", ".setDebug"),
    ],
)
def test_what_a_test_must_hold(entry: str, needle: str) -> None:
    assert Row(entry, "examples/net_socket_buffer.py", ()).needle == needle


PAGE_OF_NET = """# net Module
## Constants
Constants: `net.TCP`, `net.UDP`
## net.make()
#### Syntax
`net.make(enable)`

`net.make(function)`
#### Example
```lua
net.make(true)
```
# net.socket Module
## net.socket:on()
#### Parameters
- `event` string, which can be "connection", "receive" or "sent"
```lua
-- no heading
```
# net.cert Module
Gone.
"""


def test_the_entries_of_a_page() -> None:
    entries = list(entries_of(PAGE_OF_NET))
    assert entries == [
        "net.TCP", "net.UDP", "net.make()", "net.make(enable)", "net.make(function)", "net.make() example 1",
        "net.socket:on()", 'net.socket:on() event "connection"', 'net.socket:on() event "receive"',
        'net.socket:on() event "sent"', "net.socket:on() example 1", "net.cert",
    ]  # fmt: skip
    assert differences(coverage(entries=tuple(entries)), PAGE_OF_NET) == []
    assert differences(coverage(entries=(*entries[1:], "net.more()")), PAGE_OF_NET) == [
        "net.TCP: is on the page of net and not in the list",
        "net.more(): is in the list and not on the page of net",
    ]


def test_the_command_is_in_the_test_command() -> None:
    assert "net_coverage.py" in (ROOT / "scripts" / "run_checks.py").read_text(encoding="utf-8")
