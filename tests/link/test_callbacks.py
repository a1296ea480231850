import asyncio

import pytest

from bridge.errors import LinkTimeout, LocalProtocolError
from bridge.link.callbacks import ASK_AFTER, CallbackTable
from bridge.wire.values import Callback, Handle


def test_functions_get_numbers_and_keep_them() -> None:
    table = CallbackTable("here")
    assert table.outward(print) == Callback(1) == table.outward(print)
    assert table.outward(len) == Callback(2)
    assert table.function(2) is len and table.function(3) is None


def test_other_values_stay_as_they_are() -> None:
    table = CallbackTable("here")
    for value in (None, True, 1, 1.5, b"x", "x", Handle(3)):
        assert table.outward(value) == value


def test_there_are_only_so_many_numbers() -> None:
    table = CallbackTable("here")
    functions = [lambda number=number: number for number in range(65_536)]
    for function in functions[:-1]:
        table.outward(function)
    with pytest.raises(LocalProtocolError, match="65535"):
        table.outward(functions[-1])


def test_functions_that_lua_does_not_hold_any_more_are_let_go() -> None:
    async def main() -> None:
        held: list[int] = [3]
        asked: list[int] = []

        async def ask() -> bytes:
            asked.append(len(asked))
            await asyncio.sleep(0)
            table.outward(functions[6])  # sent while the question is under way
            return b"".join(number.to_bytes(2, "big") for number in held)

        table = CallbackTable("here", ask)
        functions = [lambda number=number: number for number in range(2000)]
        for function in functions[:ASK_AFTER]:
            table.outward(function)
        assert asked == [], "not before what was sent is on its way"
        await asyncio.sleep(0.01)
        assert [number for number in range(1, 100) if table.function(number)] == [3, 7]
        assert table.outward(functions[2]) == Callback(3), "one that Lua holds keeps its number"
        for function in functions[ASK_AFTER:]:
            assert table.function(table.outward(function).number) is function
            await asyncio.sleep(0.001)
        assert len(table._functions) <= ASK_AFTER + 2 and 60 < len(asked) < 100

    asyncio.run(main())


def test_a_board_that_does_not_answer_costs_no_function() -> None:
    async def main() -> None:
        async def ask() -> bytes:
            raise LinkTimeout("no answer")

        table = CallbackTable("here", ask)
        functions = [lambda number=number: number for number in range(3 * ASK_AFTER)]
        for function in functions:
            table.outward(function)
            await asyncio.sleep(0)
        assert all(table.function(number + 1) is function for number, function in enumerate(functions))

    asyncio.run(main())
