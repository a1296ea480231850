"""Chunks are made to behave as compiled on the chip."""

from __future__ import annotations

import pytest

from bridge.virtual.lua import chunk, rewrite
from bridge.virtual.lua.rewrite import Strip
from bridge.virtual.lua.vm import Vm


def proto_of(source: bytes, version: str = "5.1") -> chunk.Proto:
    dump, message = Vm(version).compile(source, b"=stdin")
    assert dump is not None, message
    return chunk.parse(dump, version)


def run_51(proto: chunk.Proto, check: object = None) -> object:
    """Run a rewritten chunk on a VM whose string metatable has the check."""
    vm = Vm("5.1")
    vm.runtime.eval(b'function(f) getmetatable("").__index = {["\\0concat"] = f} end')(check)
    return vm.load(chunk.dump(proto, chunk.HOST_51), b"=stdin")()


def test_stripping_names_keeps_lines() -> None:
    proto = proto_of(b"local a\nlocal function f() return a end\nreturn f")
    rewrite.strip(proto, Strip.NAMES, "5.1")
    assert proto.locals == [] and proto.lines
    assert proto.protos[0].upvalue_names == [b"?"]


def test_stripping_everything_drops_lines_too() -> None:
    proto = proto_of(b"local a = 1 return a", "5.3")
    rewrite.strip(proto, Strip.NAMES_AND_LINES, "5.3")
    assert proto.lines == [] and proto.upvalue_names == []


def test_fifty_locals_fit_and_one_more_does_not() -> None:
    fits = b"\n".join(b"local v%d" % number for number in range(50))
    rewrite.check_limits(proto_of(fits), b"stdin")
    with pytest.raises(rewrite.TooManyLocals) as excess:
        rewrite.check_limits(proto_of(fits + b"\nlocal one_more"), b"stdin")
    assert str(excess.value) == "stdin:51: main function has more than 50 local variables"


def test_the_function_with_too_many_locals_is_named() -> None:
    many = b" ".join(b"local v%d" % number for number in range(51))
    with pytest.raises(rewrite.TooManyLocals, match="function at line 2 has more than 50 local variables"):
        rewrite.check_limits(proto_of(b"\nfunction f() " + many + b" end"), b"stdin")


def test_locals_of_blocks_that_ended_do_not_count() -> None:
    block = b"do " + b" ".join(b"local v%d" % number for number in range(40)) + b" end "
    rewrite.check_limits(proto_of(block * 3), b"stdin")


@pytest.mark.parametrize(
    ("version", "source"),
    [
        ("5.1", b"return print(1)"),
        ("5.1", b"return uart.write(0, f())"),
        ("5.1", b"local t = {} return t:write(1)"),
        ("5.3", b"return print(1)"),
        ("5.3", b"return uart.write(0, f())"),
    ],
)
def test_tail_calls_of_the_firmware_become_calls(version: str, source: bytes) -> None:
    proto = proto_of(source, version)
    tail = 29 if version == "5.1" else 37
    assert any(word & 0x3F == tail for word in proto.code)
    rewrite.untail(proto, {b"print", b"write"}, version)
    assert not any(word & 0x3F == tail for word in proto.code)


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_tail_calls_of_a_programs_own_functions_stay(version: str) -> None:
    proto = proto_of(b"local function g() end return own(1), g and 2 or 3", version)
    before = list(proto.code)
    rewrite.untail(proto, {b"print"}, version)
    assert proto.code == before
    deep = proto_of(b"local function loop(n) if n == 0 then return 'end' end return loop(n - 1) end return loop(1e5)")
    rewrite.untail(deep, {b"print"}, "5.1")
    assert run_51(deep) == b"end"


CONCATS = [
    (b'return "a" .. "b" .. 1', b"ab1", [b"ab1"]),
    (b'local s = "" for i = 1, 3 do s = s .. i end return s', b"123", [b"1", b"12", b"123"]),
    (b'local t = {} if t.x then t = "n" else t = "a" .. "b" end while #t < 4 do t = t .. "c" end return t', b"abcc", 3),
    (b'local function f(...) return ... end return (f("x" .. "y", "z" .. "w"))', b"xy", [b"xy", b"zw"]),
    (b'local s = "a" local r = s .. s or s .. "b" return r == "aa" and r .. "!" or "no"', b"aa!", [b"aa", b"aa!"]),
    (b'local r = "" for k, v in next, {1, 2} do r = r .. k .. v end return r', b"1122", [b"11", b"1122"]),
]


@pytest.mark.parametrize(("source", "result", "seen"), CONCATS)
def test_every_concatenation_is_checked_and_nothing_else_changes(source: bytes, result: bytes, seen: object) -> None:
    checked: list[bytes] = []
    proto = proto_of(source)
    rewrite.check_concats(proto)
    assert run_51(proto, checked.append) == result
    assert checked == seen or len(checked) == seen


def test_positions_stay_behind_a_checked_concatenation() -> None:
    proto = proto_of(b'local a = "x" .. 1\nlocal b = a .. 2\nerror("here")')
    rewrite.check_concats(proto)
    vm = Vm("5.1")
    vm.runtime.eval(b'function(f) getmetatable("").__index = {["\\0concat"] = f} end')(lambda text: None)
    guard = vm.runtime.eval(b"function(f) return select(2, pcall(f)) end")
    assert guard(vm.load(chunk.dump(proto, chunk.HOST_51), b"=stdin")) == b"stdin:3: here"


def test_a_large_constant_table_still_reaches_the_check() -> None:
    constants = b",".join(b'"k%d"' % number for number in range(400))
    proto = proto_of(b"local t = {" + constants + b'} return t[400] .. "end"')
    rewrite.check_concats(proto)
    checked: list[bytes] = []
    assert run_51(proto, checked.append) == b"k399end"
    assert checked == [b"k399end"]
