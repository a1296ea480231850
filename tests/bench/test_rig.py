from __future__ import annotations

import asyncio

import pytest

from bridge.bench.plan import Plan, Row
from bridge.bench.rig import Rig, rig_for, virtual_options
from bridge.board import Board
from bridge.errors import BridgeError, UsageError
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty
from tests.bench.opened_rig import ROW, little_plan, on_a_rig


def test_a_row_makes_its_own_board() -> None:
    options = virtual_options(Plan("virtual:?lua=5.3&cpu=2", (ROW,), seed=7, cpu=10.0), Row(115_200, 16.0))
    assert (options.lua, options.cpu, options.seed) == ("5.3", 20.0, 7)
    assert (options.adapter_latency_ms, options.clock) == (16.0, "virtual")
    assert options.baud_pacing


def test_a_bad_url_is_named() -> None:
    with pytest.raises(UsageError, match="colour is not an option"):
        virtual_options(Plan("virtual:?colour=red", (ROW,)), ROW)


def test_the_sink_takes_what_the_board_sends() -> None:
    async def scenario(rig: Rig, board: Board) -> None:
        assert rig.system is not None
        async with rig.sink(board) as (port, host):
            socket = await board.net.createConnection()
            connected, sent = asyncio.Event(), asyncio.Event()
            socket.on("connection", lambda socket: connected.set())
            socket.on("sent", lambda socket: sent.set())
            await socket.connect(port, host)
            await connected.wait()
            await socket.send(b"x" * 3000)
            await sent.wait()
            await socket.close()

    on_a_rig(scenario)


def test_a_board_at_a_port_reaches_the_sink_by_this_machines_network() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(boot_text="clear")) as virtual:
            await virtual.answered()
            pty = Pty(virtual)
            async with rig_for(little_plan(pty.path), Row(115_200, None)) as rig:
                assert rig.system is None
                async with open_board(rig.port) as board, rig.sink(board) as (port, host):
                    socket = await board.net.createConnection()
                    connected = asyncio.Event()
                    socket.on("connection", lambda socket: connected.set())
                    await socket.connect(port, host)
                    await connected.wait()
                assert rig.port.written > 0
            pty.close()

    asyncio.run(main())


def test_a_board_in_no_network_says_so() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(wifi="off", clock="virtual")) as virtual:
            await virtual.answered()
            from bridge.virtual.port import VirtualPort

            port = VirtualPort(virtual)
            async with open_board(port) as board:
                with pytest.raises(BridgeError, match="has joined no network"):
                    async with Rig(port).sink(board):  # type: ignore[arg-type]
                        pass

    clock.run(main())
