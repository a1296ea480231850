from __future__ import annotations

import gc
import io
import json

import pytest

from bridge.cli.execute import Prints, plain, shown, without_interpreter
from bridge.wire.values import Opaque
from tests.cli.invoke import BOARD, invoke


def test_prints_then_results(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "exec", "print('hello') return 1, nil, 'x'", "--port", BOARD)
    assert (code, out, err) == (0, "hello\n1\tnil\tx\n", "")
    assert invoke(capfd, "exec", "=6*7", "--port", BOARD) == (0, "42\n", "")
    assert invoke(capfd, "exec", "x=1", "--port", BOARD) == (0, "", "")


def test_json_keeps_prints_apart(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "exec", "print('p') return {a={1,2}}, true", "--json", "--port", BOARD)
    assert (code, json.loads(out), err) == (0, [{"a": [1, 2]}, True], "p\n")


def test_what_comes_later(capfd: pytest.CaptureFixture[str]) -> None:
    source = "tmr.create():alarm(500,0,function()print('later')end)"
    assert invoke(capfd, "exec", source, "--wait", "2", "--port", BOARD) == (0, "later\n", "")


def test_from_standard_input(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("print(1)\nprint(2)\n"))
    assert invoke(capfd, "exec", "-", "--port", BOARD) == (0, "1\n2\n", "")


@pytest.mark.parametrize("source", ["error('my own words')", "this is not Lua", "local a = nil + 1"])
def test_errors_of_lua(capfd: pytest.CaptureFixture[str], source: str) -> None:
    code, out, err = invoke(capfd, "exec", source, "--port", BOARD)
    assert (code, out) == (1, "") and err.startswith("nodemcu-bridge: virtual:") and "Traceback" not in err


def test_values() -> None:
    assert [shown(value) for value in (None, True, 1.5, b"x", [1], {b"k": b"\xff"}, Opaque(b"thread: 0x1"))] == [
        "nil", "true", "1.5", "x", "[1]", '{"k": "\\u00ff"}', "thread: 0x1"
    ]  # fmt: skip
    assert plain({b"a": [b"b", None]}) == {"a": ["b", None]}
    assert plain([float("nan"), float("-inf"), 1.5]) == ["nan", "-inf", 1.5]


def test_a_restart_is_one_sentence(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    code, _, err = invoke(capfd, "exec", "node.restart()", "--wait", "3", "--port", BOARD)
    gc.collect()  # asyncio logs an error that nobody fetched when its future goes
    assert (code, err.count("\n"), caplog.messages) == (1, 1, []) and "The board restarted" in err


def test_source_that_is_no_text(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"return #'\xff\xfe'"), encoding="utf-8"))
    assert invoke(capfd, "exec", "-", "--port", BOARD) == (0, "2\n", "")
    source = b"return #'\xff'".decode("utf-8", "surrogateescape")  # as Python reads such an argument
    assert invoke(capfd, "exec", source, "--port", BOARD) == (0, "1\n", "")


def test_a_first_line_for_the_shell(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"#!/usr/bin/env lua\nprint(1)")))
    assert invoke(capfd, "exec", "-", "--port", BOARD) == (0, "1\n", "")
    assert without_interpreter(b"#!/bin/lua") == b"\n" and without_interpreter(b"print('#')") == b"print('#')"


@pytest.mark.parametrize("command", ["exec", "run"])
@pytest.mark.parametrize("option", ["--timeout", "--wait"])
@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "-inf", "1e999", "soon", "0"])
def test_what_is_no_time(capfd: pytest.CaptureFixture[str], command: str, option: str, seconds: str) -> None:
    if (option, seconds) == ("--wait", "0"):
        seconds = ""
    code, out, err = invoke(capfd, command, "x", f"{option}={seconds}", "--port", BOARD)
    assert (code, out) == (2, "") and f"{seconds} is not a time: give " in err and option in err


def test_ends_of_lines_that_come_in_two_pieces(capfd: pytest.CaptureFixture[str]) -> None:
    shown = list[bytes]()
    prints = Prints(shown.append)
    for piece in (b"one\r", b"\ntwo\r\n", b"50 %\r", b"\r", b"60 %", b"\r"):
        prints.feed(piece)
    prints.end()
    prints.end()
    assert b"".join(shown) == b"one\ntwo\n50 %\r\r60 %\r"
    code, out, err = invoke(capfd, "exec", "for i = 1, 3000 do print(i) end", "--port", f"{BOARD}&cpu=0")
    assert (code, err) == (0, "") and out == "".join(f"{number}\n" for number in range(1, 3001))


def test_no_source(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert invoke(capfd, "exec", "-", "--port", BOARD) == (0, "", "")
    monkeypatch.setattr("sys.stdin", None)  # as Python has it where standard input is closed
    code, out, err = invoke(capfd, "exec", "-", "--port", BOARD)
    assert (code, out) == (2, "") and "There is no standard input" in err
