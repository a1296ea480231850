"""What only 5.3 has: upvalue cells outside of all lists, long strings, closures of C."""

from __future__ import annotations

from bridge.virtual.heap.memory import memory_of
from bridge.virtual.lua.vm import Vm


def test_cells_long_strings_and_c_closures() -> None:
    vm = Vm("5.3")
    eval_ = vm.runtime.eval

    def address(expression: bytes) -> int:
        text = eval_(b"(function(v) KEPT = KEPT or {} KEPT[#KEPT+1] = v return tostring(v) end)(" + expression + b")")
        return int(text.rpartition(b"0x")[2], 16)

    memory = memory_of("5.3", address(b"coroutine.create(function() end)"))
    pair = b"(function() local a = 1 local f = function() a = a + 1 end g = function() return a end return f end)()"
    _, count, cells = memory.closure(address(pair))
    assert count == 1
    shared = memory.closure(address(b"g"))[2]
    assert shared[0] in cells
    is_c, upvalues, more = memory.closure(address(b"('x'):gmatch('.')"))
    assert (is_c, more) == (True, ()) and upvalues == 3
    assert not memory.counts_strings_apart and memory.string_lengths() == []
    eval_(b"(function() LONG = ('z'):rep(100) end)()")
    lengths = [memory.string_length(a) for a, kind in memory.chain(memory.lists()[0]) if kind == 4]
    assert 100 in lengths
    vm.close()
