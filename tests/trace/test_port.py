"""A port that is traced is a port, and what it traces is what went over the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

import bridge
from bridge import sync
from bridge.errors import PortError, PortNotFound, UsageError
from bridge.repl import Repl
from bridge.trace import Recorder, TracedPort, announce, note, open_traced, read
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec
from tests.contracts import Listener, Rig, check_port
from tests.ports.terminal_server import terminal_server
from tests.virtual.test_port import Ear
from tests.virtual_link import virtual_port

BOARD = "virtual:?clock=virtual"


@asynccontextmanager
async def traced_virtual(path: Path) -> AsyncIterator[Rig]:
    async with VirtualBoard(VirtualOptions(blank=True)) as board:
        await board.answered()
        recorder = Recorder(path, "virtual:", asyncio.get_running_loop())
        yield Rig(TracedPort(VirtualPort(board), recorder), Ear(board))


@asynccontextmanager
async def traced_socket(path: Path) -> AsyncIterator[Rig]:
    async with terminal_server(telnet=False) as server:
        port = await open_traced(server.url, trace=path)
        try:
            yield Rig(port, server, baud=port.baud)
        finally:
            await port.close()


def test_it_keeps_the_contract_of_a_port(tmp_path: Path) -> None:
    clock.run(check_port(partial(traced_virtual, tmp_path / "virtual")))
    asyncio.run(check_port(partial(traced_socket, tmp_path / "socket")))


def test_what_is_traced_is_what_went_over_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a"

    async def main() -> tuple[bytes, list[float]]:
        loop = asyncio.get_running_loop()
        async with virtual_port() as inner:
            await inner.board.answered()
            port = TracedPort(inner, Recorder(path, inner.url, loop), owner=False)
            listener = Listener()
            started = loop.time()
            await asyncio.sleep(0.25)
            port.set_receiver(listener, listener.lost)
            port.write(b"print(6*7)\r\n")
            await listener.until(lambda: listener.data.endswith(b"42\r\n> "))
            await port.set_lines(dtr=False, rts=False)
            with pytest.raises(PortError):
                await port.set_baud(1)
            await port.set_baud(9600)
            note(port, "said by a test", number=5)
            note(inner, "not traced")
            announce(inner, inner, Codec(CheckKind.CRC, 1), damage=0.0)
            times = [started, loop.time()]
            await port.close()
            inner.write(b"the port is its owner's still")
            return bytes(listener.data), times

    heard, (started, ended) = clock.run(main())
    trace = read(path)
    assert b"".join(record.data for record in trace.records if record.mark == "<").endswith(heard)
    [written] = [record for record in trace.records if record.mark == ">"]
    assert written.data == b"print(6*7)\r\n" and written.t == pytest.approx(0.25)
    assert trace.records[-1].t == pytest.approx(ended - started, abs=1e-6)
    assert [(r.text, r.facts) for r in trace.records if r.mark == "="] == [
        ("open", {"baud": 115200}),
        ("lines", {"dtr": False, "rts": False}),
        ("baud", {"baud": 9600}),
        ("said by a test", {"number": 5}),
        ("close", {}),
    ]
    [fault] = [record.text for record in trace.records if record.mark == "!"]
    assert "no speed of 1 baud" in fault


def test_what_arrives_while_nobody_listens_has_its_own_time(tmp_path: Path) -> None:
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        async with virtual_port() as inner:
            await inner.board.answered()
            port = TracedPort(inner, Recorder(tmp_path / "a", inner.url, loop))
            port.write(b"print(1)\r\n")
            await asyncio.sleep(5)
            listener = Listener()
            port.set_receiver(listener)
            await listener.until(lambda: b"1\r\n> " in listener.data)
            await port.close()
            return bytes(listener.data)

    heard = clock.run(main())
    arrived = [record for record in read(tmp_path / "a").records if record.mark == "<"]
    assert b"".join(record.data for record in arrived) == heard and max(record.t for record in arrived) < 1


def test_a_port_that_is_lost(tmp_path: Path) -> None:
    async def main() -> None:
        port = await open_traced(BOARD, trace=tmp_path / "a")
        assert isinstance(port, TracedPort)
        listener = Listener()
        port.set_receiver(listener, listener.lost)
        port._port.board.unplug()  # type: ignore[attr-defined]
        await listener.until(lambda: bool(listener.losses))
        with pytest.raises(PortError):
            port.write(b"anyone?")
        with pytest.raises(PortError):
            await port.set_lines(dtr=True)
        await port.close()

    clock.run(main())
    faults = [record.text for record in read(tmp_path / "a").records if record.mark == "!"]
    assert len(faults) == 3 and all("was unplugged" in fault for fault in faults)


def test_a_port_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PortNotFound):
        asyncio.run(open_traced("/dev/nosuchport", trace=tmp_path / "a"))
    trace = read(tmp_path / "a")
    assert trace.header["port"] == "/dev/nosuchport" and "There is no port" in trace.records[0].text


def test_the_port_is_not_touched_when_the_trace_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        asyncio.run(open_traced("/dev/nosuchport", trace=tmp_path / "no" / "folder"))


def test_without_a_file_nothing_is_traced() -> None:
    async def main() -> None:
        port = await open_traced(BOARD)
        assert not isinstance(port, TracedPort)
        await port.close()

    clock.run(main())


def test_a_board_with_its_port_and_one_with_a_port_of_ours(tmp_path: Path) -> None:
    async def main() -> None:
        async with bridge.open_board(BOARD, trace=tmp_path / "own") as board:
            assert await board.eval("1+1") == 2
        async with virtual_port() as port:
            async with bridge.open_board(port, trace=tmp_path / "given") as board:
                assert await board.eval("1+1") == 2
            repl = Repl(port)  # it has been given back
            await repl.sync()

    clock.run(main())
    for name in ("own", "given"):
        states = [record.facts["state"] for record in read(tmp_path / name).records if record.text == "board"]
        assert states == ["opening", "ready", "closing"]


def test_a_board_without_await(tmp_path: Path) -> None:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0", trace=tmp_path / "a") as board:
        assert board.eval("1+1") == 2
    assert any(record.text == "session" for record in read(tmp_path / "a").records)


def test_a_board_that_restarts_has_a_session_for_each_boot(tmp_path: Path) -> None:
    async def main() -> None:
        async with bridge.open_board(BOARD, trace=tmp_path / "a") as board:
            await board.reset()
            assert await board.eval("1+1") == 2

    clock.run(main())
    trace = read(tmp_path / "a")
    assert sum(record.text == "session" for record in trace.records) == 2
    [why] = [record.facts["why"] for record in trace.records if record.facts.get("state") == "restarting"]
    assert "restarted" in why
