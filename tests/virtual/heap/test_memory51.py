"""What only 5.1 has: upvalues as objects, and open ones in a list of their thread."""

from __future__ import annotations

from bridge.virtual.heap.memory import Kind, memory_of
from bridge.virtual.lua.vm import Vm


def test_open_and_closed_upvalues() -> None:
    vm = Vm("5.1")
    run = vm.runtime.eval(
        b"(function() local co = coroutine.create(function() local a, b = 1, 2 KEPT = function() return a + b end "
        b"coroutine.yield() end) coroutine.resume(co) CO = co return tostring(co) end)()"
    )
    address = int(run.rpartition(b"0x")[2], 16)
    memory = memory_of("5.1", address)
    assert len(list(memory.open_upvalues(address))) == 2
    before = sum(kind == Kind.UPVALUE for _, kind in memory.chain(memory.lists()[0]))
    vm.runtime.execute(b"coroutine.resume(CO)")
    assert list(memory.open_upvalues(address)) == []
    assert sum(kind == Kind.UPVALUE for _, kind in memory.chain(memory.lists()[0])) == before + 2
    vm.close()


def test_strings_are_counted_apart() -> None:
    vm = Vm("5.1")
    text = vm.runtime.eval(b"(function() CO = coroutine.create(function() end) return tostring(CO) end)()")
    memory = memory_of("5.1", int(text.rpartition(b"0x")[2], 16))
    assert memory.counts_strings_apart
    before = memory.mark()[-1]
    vm.runtime.execute(b"A = ('p'):rep(9) B = ('q'):rep(9)")
    assert memory.mark()[-1] >= before + 2
    vm.close()
