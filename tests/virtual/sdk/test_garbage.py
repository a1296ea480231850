"""collectgarbage, as each version answers."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def answers(lua: str, *lines: str) -> list[str]:
    async def main() -> list[str]:
        bench = await Bench.boot(lua=lua, modules="node")
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_options_both_know(lua: str) -> None:
    lines = (
        "=collectgarbage(),collectgarbage('collect'),collectgarbage('step'),collectgarbage('stop')",
        "collectgarbage() local a=collectgarbage('count') s=('x'):rep(2000) collectgarbage() "
        "print(collectgarbage('count')-a>1.9)",
    )
    assert answers(lua, *lines) == ["0\t0\tfalse\t0", "true"]


def test_options_only_one_knows() -> None:
    text = "bad argument #1 to 'collectgarbage' (invalid option '%s')"
    assert text % "isrunning" in answers("5.1", "collectgarbage('isrunning')")[0]
    assert text % "getmemlimit" in answers("5.3", "collectgarbage('getmemlimit')")[0]
    assert answers("5.3", "=collectgarbage('isrunning')") == ["-1"]


def test_the_memory_limit_of_51_is_the_string_limit() -> None:
    lines = ("=collectgarbage('getmemlimit')", "=collectgarbage('setmemlimit',8)", "=pcall(string.rep,'x',8192)")
    assert answers("5.1", *lines) == ["4", "8", "false\tstring length overflow"]


def test_a_memory_limit_below_what_is_used_is_rounded_up() -> None:
    lines = ("=collectgarbage('setmemlimit',1)", "=collectgarbage('getmemlimit')", "=#('x'):rep(4000)")
    set_to, limit, length = answers("5.1", *lines)
    assert set_to == limit and int(limit) in (5, 6) and length == "4000"


def test_the_incremental_collectors_parameters() -> None:
    lines = (
        "=collectgarbage('setpause',200),collectgarbage('setpause',110)",
        "=collectgarbage('setstepmul',10),collectgarbage('setstepmul',200)",
    )
    assert answers("5.1", *lines) == ["110\t200", "200\t10"]
    assert answers("5.3", *lines) == ["110\t200", "200\t40"]
