"""The prompt: expressions, incomplete chunks, errors."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def dialogue(lua: str, *lines: str | bytes) -> list[str]:
    """What the board says to each line, without echo."""

    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="node,uart,tmr", echo=False)
        said = [await bench.type(line) for line in lines]
        bench.close()
        return said

    return run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_results_are_printed(lua: str) -> None:
    assert dialogue(lua, "=1,nil,'x'", "return 2", "x=5", "=x", " ", "return") == [
        "1\tnil\tx\r\n> ", "2\r\n> ", "> ", "5\r\n> ", "> ", "> ",
    ]  # fmt: skip


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_incomplete_chunks_are_collected_line_by_line(lua: str) -> None:
    said = dialogue(lua, "do", "print(", "7)", "end", "=1")
    assert said == [">> ", ">> ", ">> ", "7\r\n> ", "1\r\n> "]


def test_an_error_ends_an_incomplete_chunk() -> None:
    said = dialogue("5.1", "f(", ")", "f(", "x x", "=2")
    assert said[1].startswith("Lua error: \tstdin:1: attempt to call global 'f'")
    assert said[3].startswith("Lua error: \tstdin:2: ')' expected (to close '(' at line 1) near 'x'")
    assert said[4] == "2\r\n> "


def test_an_equals_line_ends_at_its_first_nul_and_others_do_not() -> None:
    said = dialogue("5.1", b"=1\0+1", b'print(#"a\0b")')
    assert said == ["1\r\n> ", "3\r\n> "]


@pytest.mark.parametrize(("lua", "five"), [("5.1", "s"), ("5.3", "5")])
def test_the_prompt_is_the_programs(lua: str, five: str) -> None:
    said = dialogue(lua, '_PROMPT="$ "', "", '_PROMPT2=".. "', "do", "end", "_PROMPT=5", "_PROMPT={}")
    assert said == ["$ ", "$ ", "$ ", ".. ", "$ ", five, "> "]


def test_results_go_through_the_programs_print() -> None:
    said = dialogue("5.1", "function print(...) uart.write(0,'<',tostring(...),'>') end", "=1", "error('x',0)")
    assert said[1:2] == ["<1>> "]
    assert said[2].startswith("<Lua error: >")
    assert dialogue("5.1", "print=5", "=1")[1].startswith("error calling 'print' (")


def test_precompiled_chunks_are_not_for_typing() -> None:
    assert dialogue("5.1", b"\x1bLua")[0] == "Lua error: \tstdin: unexpected end in precompiled chunk\r\n> "
    assert dialogue("5.3", b"\x1b[A")[0] == "Lua error: \tstdin: truncated precompiled chunk\r\n> "


def test_fifty_one_locals_are_too_many_for_51() -> None:
    source = "loadstring(('local a '):rep(51))"
    said = dialogue("5.1", f"=select(2,{source})")
    shown = ("local a " * 6)[:43]
    assert said[0] == f'[string "{shown}..."]:1: main function has more than 50 local variables\r\n> '
    assert dialogue("5.3", f"=type({source})")[0] == "function\r\n> "
