"""The order of keys in tables of the chip's 5.1."""

from __future__ import annotations

import random

import pytest

from bridge.virtual.lua.key_order import grown, placing
from bridge.virtual.lua.vm import Vm
from tests.virtual.asked import answers

NAMES = [b"init.lua", b"main.lua", b"config.lua", b"a", b"b", b"c", b"test.txt", b"data.bin", b"x.lua", b"y.lc", b"log"]


def test_globals_lie_as_recorded() -> None:
    # tests/ground_truth/numbers/compare_arith.txt: for k in pairs(_G). luaopen_base, luaopen_package, and `t`.
    added = b"_G _VERSION ipairs pairs newproxy __index package module require t".split()
    recorded = b"module pairs __index package _G _VERSION ipairs t newproxy require".split()
    assert grown(added, 2) == tuple(recorded)


def test_a_table_of_the_host_is_filled_to_the_chips_order() -> None:
    vm = Vm("5.1")
    keys_of = vm.runtime.eval(b"function(t) local r = {} for k in pairs(t) do r[#r+1] = k end return r end")
    rng = random.Random(5)
    for _ in range(100):
        keys = tuple(rng.sample(NAMES, rng.randint(2, 9)))
        room, steps = placing(keys)
        table = vm.table(room)
        for key, _stands_in in steps:
            table[key] = 1
        for key, stands_in in steps:
            if stands_in:
                table[key] = None
        assert tuple(keys_of(table).values()) == grown(keys)
    vm.close()


@pytest.mark.parametrize("number", ["float", "integer"])
def test_a_listing_comes_in_the_chips_order(number: str) -> None:
    names = [b"main.lua", b"config.lua", b"init.lua", b"log", b"a"]
    said = answers(
        *(f"file.putcontents('{name.decode()}','x')" for name in names),
        "for k in pairs(file.list()) do print(k) end",
        number=number,
    )
    assert said[-1].encode().split(b"\r\n") == list(grown(names))
