"""Values of every kind through link, line and the agent's Lua, on each build of the firmware."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BoardOutOfMemory, BridgeError, LuaError, ValueRefused
from bridge.wire.numbers import float32
from bridge.wire.values import Opaque
from tests.campaigns.kept_board import KeptBoard, kept_board
from tests.campaigns.stage import BUILDS

INT32 = st.integers(-(2**31), 2**31 - 1)
NUMBERS = {
    "5.1 float": st.integers(-(2**53), 2**53) | st.floats(allow_nan=True),
    "5.1 integer": INT32,
    "5.3": INT32 | st.floats(width=32),
}
TEXT = st.binary(max_size=300)


def values(build: str) -> st.SearchStrategy[Any]:
    plain = NUMBERS[build] | TEXT | st.booleans()
    keys = INT32 | st.binary(max_size=9) | st.booleans() | st.text(max_size=5)
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
    )


@pytest.fixture(scope="module", params=BUILDS)
def kept(request: pytest.FixtureRequest) -> Iterator[tuple[str, KeptBoard]]:
    with kept_board(**BUILDS[request.param]) as board:
        yield request.param, board


def as_lua_has_it(value: Any, build: str) -> Any:
    """What comes back of a value: str is bytes, keys 1…n are a list, and 5.1 has one kind of number."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float) and build != "5.3":
        return int(value) if value.is_integer() and abs(value) <= 2**53 and str(value) != "-0.0" else value
    if isinstance(value, list):
        return [as_lua_has_it(item, build) for item in value]
    if isinstance(value, dict):
        found = {as_lua_has_it(key, build): as_lua_has_it(item, build) for key, item in value.items()}
        whole = [found[n] for n in range(1, len(found) + 1) if type(n) is int and n in found and True not in found]
        return whole if len(whole) == len(found) else found
    return value


def keyed(value: Any) -> Any:
    """A form in which 1, 1.0, True and b"1" differ, and NaN is itself."""
    if isinstance(value, list):
        return ("list", [keyed(item) for item in value])
    if isinstance(value, dict):
        return ("dict", sorted((repr(keyed(key)), repr(keyed(item))) for key, item in value.items()))
    return (type(value).__name__, repr(value))


def check_both_ways(kept: tuple[str, KeptBoard], examples: int) -> None:
    build, bench = kept

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.lists(values(build), min_size=1, max_size=3))
    def check(given: list[Any]) -> None:
        try:
            got = bench.run(bench.board.eval("...", *given))
        except ValueRefused as refused:
            assert "Two keys" in str(refused)
            return
        got = list(got) if len(given) > 1 else [got]
        assert keyed(got) == keyed([as_lua_has_it(value, build) for value in given])

    check()
    assert bench.faults == [] and bench.errors == []


def test_values_come_back_as_they_were(kept: tuple[str, KeptBoard]) -> None:
    check_both_ways(kept, 60)


@pytest.mark.nightly
def test_very_many_values_come_back_as_they_were(kept: tuple[str, KeptBoard]) -> None:
    check_both_ways(kept, 5000)


WRONG = {
    "5.1 float": [2**53 + 1, -(2**53) - 1, 1 << 200],
    "5.1 integer": [2**31, -(2**31) - 1, 0.5, math.nan, math.inf, -0.0, 1e300],
    "5.3": [2**31, -(2**31) - 1, 0.1, 16777217.0, 1e300, 5e-324],
}


def test_what_this_board_cannot_hold_is_refused_before_anything_is_sent(kept: tuple[str, KeptBoard]) -> None:
    build, bench = kept

    async def main() -> None:
        await bench.board.exec("CALLED = 0")
        for value in WRONG[build]:
            for argument in (value, [value], {"key": value}, {value: 1}, [[{b"k": [value]}]]):
                before = bench.virtual.statistics.bytes_to_board
                with pytest.raises(ValueRefused) as caught:
                    await bench.board.exec("CALLED = CALLED + 1", argument)
                assert bench.virtual.statistics.bytes_to_board == before
                assert caught.value.remedy and caught.value.exit_code == 2
            with pytest.raises(ValueRefused):
                await bench.board.lua.string.rep(b"x", value)
        assert await bench.board.eval("CALLED") == 0

    bench.run(main())


def test_tables_that_have_no_form_are_refused(kept: tuple[str, KeptBoard]) -> None:
    _, bench = kept
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    cyclic_dict: dict[str, Any] = {}
    cyclic_dict["self"] = [cyclic_dict]
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    wrong = [
        cyclic, cyclic_dict, deep, [None], [1, None, 3], {"k": None}, {None: 1}, {(1, 2): 3}, {math.nan: 1},
        {"a": 1, b"a": 2}, object(), {1, 2}, 1 + 2j, "\ud800", {"\udfff": 1}, b"x" * 70_000, "ü" * 40_000,
        list(range(70_000)), bench.board.lua.tmr,
    ]  # fmt: skip

    async def main() -> None:
        await bench.board.exec("return 1", 1)  # what the agent needs for it is loaded once, with a right value too
        for value in wrong:
            before = bench.virtual.statistics.bytes_to_board
            with pytest.raises(BridgeError) as caught:
                await bench.board.exec("return 1", value)
            assert isinstance(caught.value, BridgeError) and len(str(caught.value)) < 300
            assert bench.virtual.statistics.bytes_to_board == before
        assert await bench.board.eval("...", (1, [2, (3,)])) == [1, [2, [3]]]
        assert await bench.board.eval("...", range(3), bytearray(b"x"), memoryview(b"y")) == ([0, 1, 2], b"x", b"y")

    bench.run(main())


def test_tables_of_the_board_that_are_odd(kept: tuple[str, KeptBoard]) -> None:
    build, bench = kept

    async def main() -> None:
        board = bench.board
        assert await board.eval("{1, nil, 3}") == {1: 1, 3: 3}
        assert await board.eval("{[1]=1, [2]=2, x=true}") == {1: 1, 2: 2, b"x": True}
        assert await board.eval("{}") == []
        assert await board.eval("{{}, {{{}}}}") == [[], [[[]]]]
        got = await board.eval("{[{}]=1, [{}]=2, [true]=3, [false]=4, [print]=5}")
        assert sorted(got.values()) == [1, 2, 3, 4, 5]
        assert [type(key) for key in got].count(Opaque) == 2
        if build != "5.1 integer":
            assert await board.eval("{[0.5]=1, [-1.5]=2}") == {0.5: 1, -1.5: 2}
        with pytest.raises(LuaError, match="too deep"):
            await board.exec("local t = {} t.self = t return t")
        with pytest.raises(LuaError, match="too deep"):
            await board.exec("local t = {} t[t] = t return t")
        assert await board.exec("local t = {} for i = 1, 200 do t[i] = i end return t") == list(range(1, 201))
        thread = await board.eval("coroutine.create(function() end)")
        assert isinstance(thread, Opaque)

    bench.run(main())
    assert bench.faults == []


def test_long_strings_of_the_board(kept: tuple[str, KeptBoard]) -> None:
    _, bench = kept

    async def main() -> None:
        for length in (0, 1, 255, 256, 4094, 4095, 4096, 4097):
            assert await bench.board.eval("('x'):rep(...)", length, timeout=60) == b"x" * length
        every = bytes(range(256))
        assert await bench.board.eval("...", every * 5) == every * 5
        for length in (8000, 20_000, 65_535, 65_536, 200_000):
            try:
                assert len(await bench.board.eval("('x'):rep(...)", length, timeout=60)) == length
            except (BoardOutOfMemory, LuaError) as error:
                print(length, error)
                assert length > 4096
            assert await bench.board.eval("1 + 1") == 2

    bench.run(main())
    assert bench.faults == [] and bench.board.last_reset is None


def test_floats_of_53_arrive_as_the_32_bits_they_have() -> None:
    with kept_board(lua="5.3") as bench:
        assert bench.run(bench.board.eval("0.1, 1/3, 1.0, 1, 2^24")) == (
            float32(0.1), float32(1 / 3), 1.0, 1, 16777216.0,
        )  # fmt: skip
