"""The pipe module: bytes in chunks, readers in tasks."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(lua: str, *lines: str) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="node,pipe,uart", echo=False)
        said = [(await bench.type(line)).replace("\r\n> ", "").removesuffix("> ") for line in lines]
        bench.close()
        return said

    return run(main())


def test_reading_by_size_and_by_delimiter(lua: str) -> None:
    said = answers(
        lua,
        "p=pipe.create() p:write('ab\\ncd\\nef')",
        "=p:read('\\n+')=='ab\\n',p:read('\\n'),p:read(1),p:read(),p:read()",
        "p:write('x;y') print(p:read(';'),p:read(';'),p:read(';'))",
    )
    assert said[1:] == ["true\tcd\te\tf\tnil", "x\ty\tnil"]


def test_chunks_hold_256_bytes(lua: str) -> None:
    said = answers(
        lua,
        "p=pipe.create() print(#p,p:nrec()) p:write(('x'):rep(600)) print(#p,p:nrec(),#p[2],#p[4])",
        "=#p:read(300),#p,#p:read(1000),#p,p:read(1)",
    )
    assert said == ["1\t0\r\n4\t3\t256\t88", "300\t3\t300\t1\tnil"]


def test_unread_goes_to_the_front(lua: str) -> None:
    said = answers(
        lua, "p=pipe.create() p:write('tail') p:unread(('h'):rep(300)) print(#p,#p:read(300),p:read(9))",
        "p:unread('b') p:unread('a') p:unread('') print(p:read(5))",
    )  # fmt: skip
    assert said == ["3\t300\ttail", "ab"]


def test_a_reader_function_reads_the_same_way_each_time(lua: str) -> None:
    said = answers(lua, "p=pipe.create() p:write('a b c') r=p:reader(' ') print(r(),r(),r(),r())")
    assert said == ["a\tb\tc\tnil"]


def test_names_and_kinds(lua: str) -> None:
    said = answers(lua, "p=pipe.create() p:write('x') print(type(p),tostring(p):sub(1,8),tostring(p[2]),p.nothing)")
    assert said == ["table\tPipe: 0x\tx\tnil"]


def test_wrong_arguments(lua: str) -> None:
    at = "Lua error: \tstdin:1: bad argument #%d to '%s' (%s)"
    said = answers(
        lua, "p=pipe.create()", "p:read(0)", "p:read('abc')", "p.read({},1)", "pipe.create(5)",
        "pipe.create(print,9)",
    )  # fmt: skip
    assert [text.partition("\r\n")[0] for text in said[1:]] == [
        at % (1, "read", "invalid chunk size"),
        at % (1, "read", "invalid delimiter"),
        at % (1, "read", "pipe table"),
        at % (1, "create", "function expected, got number"),
        at % (2, "create", "invalid priority"),
    ]


def test_a_reader_runs_as_a_task_when_something_was_written(lua: str) -> None:
    said = answers(
        lua,
        "p=pipe.create(function(q) print('task',q:read(3)) return true end) p:write('abcdef') print('first')",
        "p:write('g')",
    )
    assert said[0] == "firsttask\tabc\r\ntask\tdef\r\n"
    assert said[1].endswith("task\tg\r\n")


def test_a_reader_that_answers_false_waits_for_the_next_write(lua: str) -> None:
    said = answers(
        lua,
        "p=pipe.create(function(q) print('task',q:read(3)) return false end,2) p:write('abcdef')",
        "print(1)",
        "p:write('g')",
    )
    assert said[0].count("task") == 1 and said[1] == "1" and "task\tdef" in said[2]


def test_output_can_be_caught_and_given_back(lua: str) -> None:
    said = answers(
        lua,
        "got='' node.output(function(p) got=got..(p:read(1000) or '') return false end,0)",
        "print('hidden')",
        "node.output()",
        "print((got:gsub('%c','.')))",
    )
    assert said[1] == ""
    assert "hidden." in said[3]
