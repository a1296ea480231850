"""Reading the VM's memory: both versions answer alike about objects that a program made."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.virtual.heap.memory import Kind, UnknownLayout, VmMemory, memory_of, pointer
from bridge.virtual.lua.vm import Vm


class Subject:
    """A bare VM and its memory."""

    def __init__(self, version: str) -> None:
        self.vm = Vm(version)
        self.tostring: Any = self.vm.runtime.eval(b"tostring")
        self.memory = memory_of(version, self.address(b"coroutine.create(function() end)"))
        self.memory.learn_dummy()

    def address(self, expression: bytes) -> int:
        """Where the object is that an expression makes (it is kept alive as a global)."""
        keep = b"(function(v) KEPT = KEPT or {} KEPT[#KEPT+1] = v return tostring(v) end)(%b)"
        text = self.vm.runtime.eval(keep % expression)
        return int(text.rpartition(b"0x")[2], 16)


@pytest.fixture(params=["5.1", "5.3"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    made = Subject(request.param)
    yield made
    made.vm.close()


def test_tables(subject: Subject) -> None:
    sizes = {b"{}": (0, 0), b"{1,2,3}": (3, 0), b"{a=1,b=2,c=3}": (0, 4), b"{1,x=1}": (1, 1)}
    for text, wanted in sizes.items():
        table = subject.memory.table(subject.address(text))
        assert (table.array, table.nodes) == wanted


def test_closures_and_prototypes(subject: Subject) -> None:
    source = b"(function() local u, v = 1, 2 return function(a, b) local c = a + u "
    source += b"return c .. v .. 'text' .. '\\0a' .. '\\0b' end end)()"
    address = subject.address(source)
    is_c, upvalues, cells = subject.memory.closure(address)
    assert (is_c, upvalues) == (False, 2)
    assert len(cells) == (0 if subject.vm.version == "5.1" else 2)
    proto = subject.memory.proto(pointer(address + (32 if subject.vm.version == "5.1" else 24)))
    assert (proto.constants, proto.protos, proto.local_names, proto.hidden) == (3, 0, 3, (b"\0a", b"\0b"))
    assert len(proto.code) == 4 * len(proto.lines)
    assert set(proto.lines) == {1}
    assert subject.memory.closure(subject.address(b"('x'):gmatch('.')"))[0]


def test_threads_and_userdata(subject: Subject) -> None:
    stack, calls = subject.memory.thread(subject.address(b"coroutine.create(function() end)"))
    assert (stack, calls) == ((45, 8) if subject.vm.version == "5.1" else (40, 0))
    if subject.vm.version == "5.1":
        assert subject.memory.userdata_size(subject.address(b"newproxy()") - subject.memory.userdata_header) == 0


def test_new_objects_come_first(subject: Subject) -> None:
    memory = subject.memory
    before = memory.lists()[0]
    address = subject.address(b"{}")
    found = dict(memory.chain(memory.lists()[0], frozenset((before,))))
    assert found[address] == Kind.TABLE
    assert before not in found
    assert memory.next(address) != 0


def test_strings(subject: Subject) -> None:
    memory = subject.memory
    subject.address(b"{('unusual text '):rep(7)}")
    lengths = [length for _, length in memory.string_lengths()]
    lengths += [memory.string_length(a) for a, kind in memory.chain(memory.lists()[0]) if kind == Kind.STRING]
    assert 13 * 7 in lengths and 13 in lengths


def test_globals(subject: Subject) -> None:
    memory = subject.memory
    assert memory.global_table() == subject.address(b"_G")
    before = memory.entries(memory.global_table())
    subject.vm.runtime.execute(b"new_global = 1")
    assert memory.entries(memory.global_table()) == before + 1


def test_counts(subject: Subject) -> None:
    before = subject.memory.count()
    subject.address(b"{('x'):rep(10000)}")
    assert 10000 < subject.memory.count() - before < 60000
    kilobytes = subject.vm.runtime.eval(b"collectgarbage('count')")
    assert subject.memory.count() / 1024 == pytest.approx(kilobytes, rel=0.01)


def test_the_hook_counts_instructions(subject: Subject) -> None:
    hook = subject.vm.runtime.eval(b"function(n) debug.sethook(function() end, '', n) end")
    hook(1_000_000)
    every, left = subject.memory.hook_counts()
    assert every == 1_000_000 and 0 < every - left < 100
    subject.vm.runtime.execute(b"for i = 1, 1000 do end")
    assert 1000 <= left - subject.memory.hook_counts()[1] < 1100


def test_something_else_is_refused() -> None:
    buffer = ctypes.create_string_buffer(64)
    with pytest.raises(UnknownLayout):
        memory_of("5.1", ctypes.addressof(buffer))


def test_the_contract_is_abstract() -> None:
    assert VmMemory.lists is not type(Subject("5.1").memory).lists


def test_signatures_tell_strings_and_userdata_from_others_in_their_place(subject: Subject) -> None:
    memory, vm = subject.memory, subject.vm
    strings = {address: signature for address, _, signature in memory.strings()}
    assert len(set(strings.values())) == len(strings)
    make = b"(newproxy and newproxy(true) or setmetatable({}, {__gc = function() end}))"
    vm.runtime.execute(b"KEPT = {" + make + b"," + make + b"}")
    found = [each for first in memory.lists()[1:] for each in memory.signed(first)]
    assert dict.fromkeys(address for address, _, _ in found) == dict.fromkeys(
        address for first in memory.lists()[1:] for address, _ in memory.chain(first)
    )
    signatures = [signature for _, kind, signature in found if kind == Kind.USERDATA]
    if vm.version == "5.1":
        assert len(set(signatures)) >= 2
        before = dict((address, signature) for address, _, signature in found)
        vm.runtime.execute(b"KEPT = nil collectgarbage()")
        later = [each for first in memory.lists()[1:] for each in memory.signed(first)]
        assert all(before[address] == signature for address, _, signature in later)
    else:
        assert {signature for _, kind, signature in found if kind == Kind.TABLE} == {()}
