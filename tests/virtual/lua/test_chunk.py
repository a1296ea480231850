"""Precompiled chunks are read and written byte for byte, and damaged ones are refused in the chip's words."""

from __future__ import annotations

import pytest

from bridge.virtual.lua import chunk
from bridge.virtual.lua.vm import Vm

SOURCE = b"""
local a, b = 1.5, "text\\0with nul"
function f(x, ...) local t = {x, ...} for i = 1, #t do a = a + i end return function() return a, b end end
return f, nil, true, 2^53, ("x"):rep(300)
"""


@pytest.fixture(params=["5.1", "5.3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compiled(version: str, source: bytes = SOURCE) -> bytes:
    dump, message = Vm(version).compile(source, b"=chunk")
    assert dump is not None, message
    return dump


def test_a_chunk_survives_reading_and_writing(version: str) -> None:
    dump = compiled(version)
    proto = chunk.parse(dump, version)
    assert chunk.dump(proto, chunk.HOST_51 if version == "5.1" else chunk.HOST_53) == dump


def test_names_and_lines_are_where_the_compiler_put_them(version: str) -> None:
    main = chunk.parse(compiled(version), version)
    function = main.protos[0]
    assert [name for name, _, _ in main.locals] == [b"a", b"b"]
    assert (function.line_defined, function.last_line, function.parameters) == (3, 3, 1)
    assert function.protos[0].upvalue_names[-2:] == [b"a", b"b"]
    assert chunk.Constant(4, b"text\0with nul") in main.constants


def test_the_chips_layout_is_smaller_and_reads_back(version: str) -> None:
    proto = chunk.parse(compiled(version), version)
    chip = chunk.CHIP_51 if version == "5.1" else chunk.CHIP_53
    small = chunk.dump(proto, chip)
    assert len(small) < len(compiled(version))
    again = chunk.parse(small, version)
    assert again.code == proto.code and again.constants == proto.constants


def test_the_vm_runs_what_was_written(version: str) -> None:
    vm = Vm(version)
    dump, _ = vm.compile(b"local n = ... return n * 2 + 0.5", b"=chunk")
    assert dump is not None
    written = chunk.dump(chunk.parse(dump, version), vm.layout)
    assert vm.load(written, b"=chunk")(4) == 8.5


@pytest.mark.parametrize("cut", [1, 4, 11, 12, 40, -1])
def test_a_cut_chunk_is_refused(version: str, cut: int) -> None:
    with pytest.raises(chunk.BadChunk) as bad:
        chunk.parse(compiled(version)[:cut], version)
    assert bad.value.kind == "truncated"


def test_complaints_are_the_chips() -> None:
    assert chunk.BadChunk("truncated").text("5.1") == "unexpected end in precompiled chunk"
    assert chunk.BadChunk("truncated").text("5.3") == "truncated precompiled chunk"


def test_a_chunk_of_the_other_version_is_refused(version: str) -> None:
    other = "5.3" if version == "5.1" else "5.1"
    with pytest.raises(chunk.BadChunk) as bad:
        chunk.parse(compiled(other), version)
    assert bad.value.kind == ("header" if version == "5.1" else "version")


def test_a_header_of_another_machine_is_refused() -> None:
    big_endian = bytearray(compiled("5.1"))
    big_endian[6] = 0
    with pytest.raises(chunk.BadChunk, match="header"):
        chunk.parse(bytes(big_endian), "5.1")


def test_walk_lists_outermost_first(version: str) -> None:
    main = chunk.parse(compiled(version), version)
    assert [function.line_defined for function in chunk.walk(main)] == [0, 3, 3]
