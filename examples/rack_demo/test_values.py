"""What the board computes, and what of it comes back."""

import pytest


@pytest.mark.parametrize("source, value", [
    ("1 + 1", 2), ("7 % 4", 3), ("'a' .. 'b'", b"ab"), ("#'node'", 4), ("nil", None), ("true", True),
    ("string.rep('x', 300)", b"x" * 300), ("math.pi > 3", True), ("tostring(12)", b"12"), ("({1, 2, 3})[2]", 2),
])  # fmt: skip
async def test_a_value_comes_back(board, source, value):
    assert await board.eval(source) == value


async def test_bytes_come_back_as_they_are(board):
    data = bytes(range(256))
    halves = ("string.char(" + ",".join(map(str, half)) + ")" for half in (data[:128], data[128:]))
    assert await board.eval(" .. ".join(halves)) == data


async def test_a_variable_stays_between_calls(board):
    await board.exec("counter = 0")
    for _ in range(10):
        await board.exec("counter = counter + 1")
    assert await board.eval("counter") == 10
    await board.exec("counter = nil")


async def test_a_mistake_is_an_error_here(board):
    with pytest.raises(Exception, match="nothing_of_this_name"):
        await board.exec("nothing_of_this_name()")
