from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.virtual.modules.gpio import pins
from tests.mirror.modules.conftest import Rig

Calls = list[tuple[int, int, int]]


async def drive(rig: Rig, pin: int, *levels: int) -> None:
    for level in levels:
        pins(rig.system).drive(pin, level)
        await asyncio.sleep(0.05)


async def test_levels(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(4, gpio.OUTPUT)
    for level in (gpio.HIGH, gpio.LOW):
        await gpio.write(4, level)
        assert await gpio.read(4) == level == pins(rig.system).level(4)
    await gpio.mode(2, gpio.INPUT, gpio.PULLUP)
    assert await gpio.read(2) == 1
    with pytest.raises(LuaError, match="gpio 13 does not exist"):
        await gpio.read(13)
    with pytest.raises(LuaError, match="wrong level type"):
        await gpio.write(4, 2)
    with pytest.raises(LuaError, match="Invalid pin"):
        await gpio.mode(0, gpio.INT)


@pytest.mark.parametrize("pin", [9, 10])
async def test_the_pins_of_the_line_are_left_alone(board: Board, pin: int) -> None:
    with pytest.raises(UsageError, match=f"D{pin} is [RT]X of the line"):
        await board.gpio.mode(pin, board.gpio.OUTPUT)
    assert await board.node.heap() > 0


@pytest.mark.parametrize("pin", ["9", b"10", 9.5, (1 << 32) + 9, None])
async def test_what_lua_would_take_for_such_a_pin_is_none(board: Board, pin: object) -> None:
    with pytest.raises(UsageError, match="A pin is a whole number"):
        await board.gpio.mode(pin, board.gpio.INPUT)  # type: ignore[arg-type]


async def test_interrupts(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    calls: Calls = []
    await gpio.mode(1, gpio.INT)
    await drive(rig, 1, 0)
    await gpio.trig(1, "both", lambda *values: calls.append(values))
    await drive(rig, 1, 1, 0)
    assert [(level, count) for level, _, count in calls] == [(1, 1), (0, 1)]
    assert calls[0][1] < calls[1][1]
    # Without a function the one before stays.
    await gpio.trig(1, "up")
    await drive(rig, 1, 1, 0)
    assert len(calls) == 3
    # Another one takes its place; a coroutine function is awaited.
    others: list[int] = []

    async def other(level: int, when: int, count: int) -> None:
        await asyncio.sleep(0.01)
        others.append(level)

    await gpio.trig(1, "down", other)
    await drive(rig, 1, 1, 0)
    assert (len(calls), others) == (3, [0])
    await gpio.trig(1)
    await drive(rig, 1, 1, 0)
    assert (len(calls), others) == (3, [0])
    with pytest.raises(LuaError, match="invalid callback type"):
        await gpio.trig(1, "up")


async def test_wrong_interrupts_leave_the_one_before(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    calls: Calls = []
    await gpio.mode(1, gpio.INT)
    await drive(rig, 1, 0)
    await gpio.trig(1, "up", lambda *values: calls.append(values))
    with pytest.raises(LuaError, match="invalid option 'sideways'"):
        await gpio.trig(1, "sideways", print)
    with pytest.raises(LuaError, match="Invalid interrupt pin"):
        await gpio.trig(0, "up", print)
    await drive(rig, 1, 1)
    assert len(calls) == 1
    await gpio.trig(1, "none")


async def test_interrupts_of_an_earlier_boot_are_over_and_new_ones_work(rig: Rig, board: Board) -> None:
    old: list[int] = []
    new: list[int] = []
    await board.gpio.mode(1, board.gpio.INT)
    await board.gpio.trig(1, "up", lambda *values: old.append(values[0]))
    await board.reset()
    with pytest.raises(LuaError, match="invalid callback type"):
        await board.gpio.trig(1, "up")
    await board.gpio.mode(1, board.gpio.INT)
    await drive(rig, 1, 0)
    await board.gpio.trig(1, "up", lambda *values: new.append(values[0]))
    await drive(rig, 1, 1)
    assert (old, new) == ([], [1])
    await board.gpio.trig(1)


async def test_a_level_is_refused(board: Board) -> None:
    for level in ("low", "high", b"high"):
        with pytest.raises(UsageError, match="while the pin is (low|high)"):
            await board.gpio.trig(1, level, print)  # type: ignore[arg-type]


async def test_a_thousand_interrupts_a_second(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(1, gpio.INT)
    await drive(rig, 1, 0)
    count = 0

    def called(level: int, when: int, eventcount: int) -> None:
        nonlocal count
        count += eventcount

    await gpio.trig(1, "up", called)
    for _ in range(600):
        for level in (1, 0):
            pins(rig.system).drive(1, level)
            await asyncio.sleep(0.0005)
    assert await board.node.heap() > 10_000
    await asyncio.sleep(1)
    assert count == 600
    await gpio.trig(1)


async def test_a_handler_that_raises_and_the_next_interrupt(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(1, gpio.INT)
    await drive(rig, 1, 0)

    def fail(*values: int) -> None:
        raise ValueError("mine")

    await gpio.trig(1, "up", fail)
    await drive(rig, 1, 1, 0, 1)
    assert [str(error) for error in rig.errors] == ["mine", "mine"]
    rig.errors.clear()
    await gpio.trig(1)


async def test_a_thousand_handlers_are_one_function_on_the_board(board: Board) -> None:
    await board.gpio.mode(1, board.gpio.INT)
    await board.gpio.trig(1, "up", lambda *values: None)
    table = await board._current()
    before = len(table._callbacks)
    for _ in range(50):
        await board.gpio.trig(1, "up", lambda *values: None)
    assert len(table._callbacks) == before
    await board.gpio.trig(1)


async def test_sequences(rig: Rig, board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(5, gpio.OUTPUT)
    seen: list[int] = []
    pins(rig.system).written = lambda pin, level: seen.append(level) if pin == 5 else None
    await gpio.serout(5, gpio.HIGH, [10] * 255)
    assert seen == [1, 0] * 127 + [1]
    seen.clear()
    done = asyncio.Event()
    await gpio.serout(5, gpio.LOW, (100_000, 200_000), 3, done.set)
    with pytest.raises(LuaError, match="Unable to initialize timer"):
        await gpio.serout(5, gpio.LOW, (100, 200), 1, 1)
    await done.wait()
    assert seen == [0, 1, 0, 1, 0, 1]
    await gpio.serout(5, gpio.LOW, [100], None, 1)
    await asyncio.sleep(0.1)
    assert len(seen) == 7
    pins(rig.system).written = None


async def test_sequences_that_cannot_be(board: Board) -> None:
    gpio = board.gpio
    for delays, cycles, what in (
        ([1.5], 1, "whole number"),
        ([-1], 1, "whole number"),
        (7, 1, "whole number"),
        ([10], 0, "for ever"),
        ([1_000_000], 6, "busy for 6 s"),
    ):
        with pytest.raises(UsageError, match=what):
            await gpio.serout(5, 1, delays, cycles)  # type: ignore[arg-type]
    with pytest.raises(LuaError, match="Invalid delay_times"):
        await gpio.serout(5, 1, [1] * 256)
    with pytest.raises(LuaError, match="Invalid pin"):
        await gpio.serout(13, 1, [1])
    with pytest.raises(LuaError, match="Wrong level type"):
        await gpio.serout(5, 2, [1])
