from __future__ import annotations

import types
from typing import Any

import pytest

from bridge.errors import ValueRefused
from bridge.link.callbacks import CallbackTable
from bridge.link.values import BoardValues
from bridge.wire.messages import Event, Failure, Hello, Invoke, Reply
from bridge.wire.numbers import Numbers, float32
from bridge.wire.values import Callback, Handle


def values(numbers: Numbers) -> BoardValues:
    return BoardValues(CallbackTable("here"), numbers)


def test_functions_and_numbers_at_any_depth() -> None:
    door = values(Numbers.INTEGER)
    assert door.outward([print, {"k": (len, 3.0, True, Handle(4))}]) == [
        Callback(1), {"k": [Callback(2), 3, True, Handle(4)]}
    ]  # fmt: skip
    assert door.outward(types.MappingProxyType({"a": range(2)})) == {"a": [0, 1]}
    for wrong in (0.5, [0.5], {"k": 0.5}, {0.5: 1}, [[[[0.5]]]], {(1,): 2}):
        with pytest.raises(ValueRefused):
            door.outward(wrong)


def test_a_table_that_holds_itself_ends() -> None:
    table: list[Any] = []
    table.append({"again": table})
    with pytest.raises(ValueRefused, match="nested deeper"):
        values(Numbers.DOUBLE).outward(table)


def test_floats_of_32_bits_arrive_as_what_they_are() -> None:
    message = Reply(1, (0.1, [0.1], {0.1: 1}, 5, b"0.1"))
    assert values(Numbers.SINGLE).message(message) == Reply(
        1, (float32(0.1), [float32(0.1)], {float32(0.1): 1}, 5, b"0.1")
    )
    assert values(Numbers.DOUBLE).message(message) is message
    for other in (Failure(0, (0.1,)), Event(1, 0, (b"x", 0.1)), Invoke(1, 0, (0.1,))):
        changed = values(Numbers.SINGLE).message(other)
        assert changed.values[-1] == float32(0.1)  # type: ignore[attr-defined]
    hello = Hello(b"12345678", (40000,))
    assert values(Numbers.SINGLE).message(hello) is hello
