"""Pins, by `board.gpio`: D4, which has an LED on most modules, and D2 with nothing on it."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError, UsageError
from tests.hil.conftest import Board

LED, FREE = 4, 2


@pytest.mark.needs("gpio")
async def test_an_output_has_the_level_that_was_written(board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(LED, gpio.OUTPUT)
    for level in (gpio.LOW, gpio.HIGH):
        await gpio.write(LED, level)
        assert await gpio.read(LED) == level
    await gpio.mode(LED, gpio.INPUT)


@pytest.mark.needs("gpio")
async def test_an_input_with_its_pull_up_is_high(board: Board) -> None:
    await board.gpio.mode(FREE, board.gpio.INPUT, board.gpio.PULLUP)
    assert await board.gpio.read(FREE) == board.gpio.HIGH
    await board.gpio.mode(FREE, board.gpio.INPUT)


@pytest.mark.needs("gpio")
async def test_a_sequence_tells_when_it_is_done(board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(LED, gpio.OUTPUT)
    done = asyncio.Event()
    await gpio.serout(LED, gpio.LOW, [20_000, 30_000], 4, done.set)
    async with asyncio.timeout(10):
        await done.wait()
    await gpio.serout(LED, gpio.LOW, [5] * 200)
    await gpio.mode(LED, gpio.INPUT)


@pytest.mark.needs("gpio")
async def test_interrupts_are_set_and_removed(board: Board) -> None:
    gpio = board.gpio
    await gpio.mode(FREE, gpio.INT, gpio.PULLUP)
    await gpio.trig(FREE, "down", lambda level, when, count: None)
    await gpio.trig(FREE)
    with pytest.raises(LuaError, match="invalid callback type"):
        await gpio.trig(FREE, "down")
    await gpio.mode(FREE, gpio.INPUT)


@pytest.mark.needs("gpio")
async def test_pins_that_cannot_be(board: Board) -> None:
    with pytest.raises(LuaError, match="does not exist"):
        await board.gpio.read(13)
    with pytest.raises(UsageError, match="of the line"):
        await board.gpio.mode(10, board.gpio.INPUT)
