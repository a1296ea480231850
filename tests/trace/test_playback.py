"""Traces of real boards, played again."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

import bridge
from bridge.errors import BoardReset, UsageError
from bridge.trace import read, replay
from bridge.trace.file import header, line
from bridge.virtual.board import VirtualBoard
from bridge.wire.messages import Call, Hello, Source
from tests.trace.leaks import assert_no_leak
from tests.trace.traced_board import run_traced
from tests.variants import by_night

WIFI_KEY, SOURCE_KEY = b"QXZJ#VWK-2", b"ZZQ%XVJ#K77"


async def work(board: bridge.Board, virtual: VirtualBoard) -> None:
    assert await board.eval("1+1") == 2
    await board.exec("print('some text')")
    await asyncio.gather(*(board.exec("return ...", b"%d" % n * 60, timeout=300) for n in range(30)))
    await board.eval("('x'):rep(2000)", timeout=300)


async def secretive(board: bridge.Board, virtual: VirtualBoard) -> None:
    await board.lua.wifi.sta.config({"ssid": "net-one", "pwd": WIFI_KEY, "auto": False}, timeout=300)
    # Longer than a frame, so that the key is in the middle of one, or cut by the end of one.
    program = b"local x = [[" + b"y" * 199 + b"]] c = {pwd = '" + SOURCE_KEY + b"'} print(c.pwd) return c, c.pwd"
    for shift in range(4):
        await board.exec(b" " * shift * 3 + program, timeout=300)
    await board.exec("print(wifi.sta.getconfig()) return wifi.sta.getconfig()", timeout=300)
    await work(board, virtual)


def test_a_clean_run_is_played_as_it_was(tmp_path: Path) -> None:
    truth = run_traced(tmp_path / "a", work)
    played = replay(tmp_path / "a")
    [session] = played.sessions
    hello, *messages = played.messages
    assert isinstance(hello, Hello) and messages == truth.messages and len(messages) > 30
    assert played.console.endswith(truth.console) and b"some text" in truth.console
    assert (played.damaged, session.alone, session.failure, session.check) == (0, False, None, "crc")
    assert any(isinstance(message, Call) for message in played.sent)
    assert any(message == Source(b"return 1+1") for message in played.sent)


@pytest.mark.parametrize("seed", by_night(range(4), but=[0, 1]))
def test_a_run_on_a_bad_line_is_damaged_as_it_was(seed: int, tmp_path: Path) -> None:
    truth = run_traced(tmp_path / "a", work, faults={"drop": 0.002, "flip": 0.002}, seed=seed)
    played = replay(tmp_path / "a")
    assert played.messages[1:] == truth.messages
    assert [session.damaged for session in played.sessions] == truth.damaged
    assert played.damaged > 0 and not played.sessions[0].alone


@pytest.mark.parametrize("seed", by_night(range(6), but=[0, 1]))
def test_secrets_of_a_run_on_a_bad_line(seed: int, tmp_path: Path) -> None:
    truth = run_traced(tmp_path / "a", secretive, faults={"drop": 0.002, "flip": 0.002, "duplicate": 0.001}, seed=seed)
    assert_no_leak(tmp_path / "a", WIFI_KEY, SOURCE_KEY)
    assert SOURCE_KEY in truth.console, "it was there"
    played = replay(tmp_path / "a")
    assert len(played.messages) == len(truth.messages) + 1 and played.damaged == sum(truth.damaged)
    assert any(b"pwd = '***********'" in message.text for message in played.sent if isinstance(message, Source))


def test_a_line_that_damages_from_the_start(tmp_path: Path) -> None:
    truth = run_traced(tmp_path / "a", secretive, seed=3, drop=0.001, flip=0.001, duplicate=0.001)
    assert_no_leak(tmp_path / "a", WIFI_KEY, SOURCE_KEY)
    played = replay(tmp_path / "a")
    assert len(played.messages) == len(truth.messages) + 1 and played.damaged == sum(truth.damaged)


def test_a_board_that_restarts_with_secrets_under_way(tmp_path: Path) -> None:
    async def scenario(board: bridge.Board, virtual: VirtualBoard) -> None:
        # The prompt of the board that has just restarted echoes what comes for the agent.
        work = [asyncio.ensure_future(board.lua.wifi.sta.config({"ssid": "n", "pwd": WIFI_KEY})) for _ in range(5)]
        await asyncio.sleep(0.01)
        virtual.reset()
        for each in await asyncio.gather(*work, return_exceptions=True):
            assert isinstance(each, BoardReset)
        assert await board.eval("1+1") == 2

    truth = run_traced(tmp_path / "a", scenario)
    assert_no_leak(tmp_path / "a", WIFI_KEY)
    played = replay(tmp_path / "a")
    assert len(played.sessions) == 2 and isinstance(played.sessions[0].failure, BoardReset)
    assert [m for m in played.messages if not isinstance(m, Hello)] == truth.messages


def test_a_trace_that_this_program_s_session_cannot_follow_is_played_alone(tmp_path: Path) -> None:
    truth = run_traced(tmp_path / "a", work, faults={"drop": 0.001, "flip": 0.001}, seed=1)
    whole = read(tmp_path / "a")
    # As if the host had sent otherwise: the board acknowledges what this session has never sent.
    missing = dataclasses.replace(whole, records=tuple(r for r in whole.records if r.mark != ">" or b"_nb" in r.data))
    played = replay(missing)
    assert played.sessions[0].alone and played.messages[1:] == truth.messages and played.damaged > 0


def test_a_trace_without_an_agent_has_no_session(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(header("p") + line(0, ">", "print(1)\r\n") + line(0.1, "<", "1\r\n> "))
    played = replay(tmp_path / "a")
    assert (played.sessions, played.messages, played.console, played.damaged) == ((), [], b"", 0)


def test_a_session_from_which_nothing_was_heard(tmp_path: Path) -> None:
    note = line(0.1, "=", "session", check="sum", epoch=9)
    (tmp_path / "a").write_bytes(header("p") + line(0, ">", "x\r\n") + note + line(0.2, "<", "Lua error\r\n> "))
    [session] = replay(tmp_path / "a").sessions
    assert session.messages == [] and session.console == b"Lua error\r\n> "


@pytest.mark.parametrize(
    "facts",
    [
        *({}, {"check": "crc"}, {"check": "md5", "epoch": 1}),
        *({"check": "crc", "epoch": epoch} for epoch in ("x", -1, 65536, 1e999)),
    ],
)
def test_a_session_that_is_not_described(facts: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(header("p") + line(0, "=", "session", **facts))
    with pytest.raises(UsageError, match="no check or epoch"):
        replay(tmp_path / "a")
