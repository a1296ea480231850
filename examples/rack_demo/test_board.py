"""The board itself."""

import pytest


@pytest.mark.parametrize("module", ["file", "gpio", "net", "node", "tmr", "wifi"])
async def test_the_firmware_has_a_module(board, module):
    assert await board.eval(f"type({module})") == b"table"


@pytest.mark.parametrize("size", [500, 2000, 5000])
async def test_heap_that_is_let_go_comes_back(board, size):
    assert await board.exec(f"local s = string.rep('x', {size}) return #s") == size


@pytest.mark.board(modules=["gpio"])
@pytest.mark.parametrize("level", [0, 1])
async def test_a_pin_keeps_its_level(board, level):
    await board.exec(f"gpio.mode(2, gpio.OUTPUT) gpio.write(2, {level})")
    assert await board.eval("gpio.read(2)") == level


async def test_what_is_printed_is_on_the_console(board):
    await board.exec("print('hello from the board')")


async def test_two_things_at_once(board):
    import asyncio

    assert await asyncio.gather(board.eval("1"), board.eval("2"), board.eval("3")) == [1, 2, 3]


# Two that are wrong, so that the report has something to charge tests with.


async def test_wrong_about_the_answer(board):
    print("what the test itself prints")
    assert await board.eval("6 * 7") == 41


async def test_leaves_a_timer_behind(board):
    timer = await board.tmr.create()
    board.kept_by_mistake = timer
