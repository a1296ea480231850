from __future__ import annotations

import asyncio

from bridge.errors import BoardReset, PortLost
from bridge.mirror.modules.relay import Relay, Relays
from bridge.opening import open_board
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.mirror.caller import make_table


def test_the_function_of_the_moment_is_called() -> None:
    relay = Relay("a place", lambda *values: values[::-1])
    assert relay(1, 2) is None and repr(relay) == "the function for a place"
    relay.function = lambda *values: values
    assert relay(1, 2) == (2, 1)
    relay.function = None
    assert relay(1) is None


def test_each_boot_has_its_own() -> None:
    async def main() -> None:
        (_, one, _), (_, two, _) = make_table(), make_table()
        relays = Relays()
        assert relays.at(one, 1, "x") is relays.at(one, 1, "x")
        assert len({id(relays.at(table, place, "x")) for table in (one, two) for place in (1, 2)}) == 4

    asyncio.run(main())


def test_what_lua_still_holds_is_taken_back_before_the_agent_leaves() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        relays = Relays()
        for place in (1, 2, 3):
            relays.at(table, place, "x", farewell=("gpio.trig", place))
        relays.at(table, 2, "x", farewell=("gpio.trig", 2)).function = print
        await table.close(PortLost("closed"))
        await table.close(PortLost("closed"))
        assert caller.calls == [("gpio.trig", (2,))]
        caller, table, _ = make_table()
        relays.at(table, 2, "x", farewell=("gpio.trig", 2)).function = print
        table.fail(BoardReset())
        await table.close(PortLost("closed"))
        assert caller.calls == []

    asyncio.run(main())


def test_a_board_that_is_closed_has_its_memory_back() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)

            async def free() -> int:
                repl = Repl(port)
                await repl.sync()
                said = await repl.line("collectgarbage() print(node.heap())")
                repl.release()
                return int(said)

            before = await free()
            async with open_board(port) as board:
                timer = await board.tmr.create()
                await timer.alarm(100, board.tmr.ALARM_AUTO, lambda timer: None)
                await board.gpio.mode(1, board.gpio.INT)
                await board.gpio.trig(1, "up", print)
                await board.wifi.eventmon.register(board.wifi.eventmon.STA_DISCONNECTED, print)
                await board.wifi.sta.connect(print)
                file = await board.file.open("a", "w")
                assert file is not None
                await asyncio.sleep(1)
            assert before - await free() < 500  # what the file system and the table of events keep
            await port.close()

    clock.run(main())


def test_errors_are_reported_by_the_place() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        relay = Relays().at(table, 1, "gpio.trig of D1")
        callback = table.outward(relay)

        async def fail() -> None:
            raise ValueError("mine")

        relay.function = fail
        callback()
        await asyncio.sleep(0.01)
        [(error, where)] = errors.seen
        assert str(error) == "mine" and "the function for gpio.trig of D1" in where

    asyncio.run(main())
