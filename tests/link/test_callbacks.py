import pytest

from bridge.errors import LocalProtocolError
from bridge.link.callbacks import CallbackTable
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
