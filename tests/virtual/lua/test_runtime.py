"""The VM as modules use it: calls, errors, tables, text limits."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.lua.runtime import LuaRaised, Runtime, panic_text
from tests.virtual.bench import Bench


@pytest.fixture(params=["5.1", "5.3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def on_runtime(version: str, test) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        bench = await Bench.boot(lua=version, modules="node,uart")
        await test(bench.firmware.system.lua, bench)
        bench.close()

    run(main())


def load(lua: Runtime, source: bytes) -> object:
    function, message = lua.loader.compile(source, b"=test")
    assert function is not None, message
    return function


def test_call_returns_all_results_and_raises_with_a_traceback(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        assert lua.call(load(lua, b"return 1, nil, 'x', nil")) == (1, None, b"x", None)
        assert lua.call(load(lua, b"return ...")) == ()
        with pytest.raises(LuaRaised) as raised:
            lua.call(load(lua, b"error('no')"))
        assert raised.value.message.startswith(b"test:1: no\nstack traceback:\n\t[C]: in function '")

    on_runtime(version, test)


def test_protected_reports_to_onerror_and_leaves_a_slot(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        system = bench.firmware.system
        await bench.type("node.setonerror(function(e) print('E',(tostring(e):gsub('\\n.*',''))) end)")
        system.event(lambda: lua.protected(load(lua, b"error('in callback')")))
        assert await bench.read() == "E\ttest:1: in callback\r\n"
        assert lua.leaked == [None]

    on_runtime(version, test)


def test_tables_both_ways(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        table = lua.table({"name": "text", "list": [1, b"two", True], 5: {"deep": 0.5}, "none": None})
        assert lua.get(table, "name") == b"text"
        assert lua.get(lua.get(table, "list"), 2) == b"two"
        assert lua.get(lua.get(table, 5), b"deep") == 0.5
        assert {key for key, _ in lua.items(table)} == {b"name", b"list", 5}
        length = load(lua, b"local t = ... return #t.list, t.none")
        assert lua.call(length, table) == (3, None)

    on_runtime(version, test)


def test_get_does_not_ask_metamethods(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        (table,) = lua.call(load(lua, b"return setmetatable({}, {__index = function() error('asked') end})"))
        assert lua.get(table, "x") is None

    on_runtime(version, test)


def test_library_gives_the_vms_own_functions(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        await bench.type("string=nil table={} ")
        assert lua.call(lua.library("string.match"), b"key=value", b"=(.*)") == (b"value",)

    on_runtime(version, test)


def test_results_are_refused_as_51_refuses_them() -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        assert lua.string_limit == 4096
        assert lua.check_length(b"x" * 4095) == b"x" * 4095
        with pytest.raises(Exception, match="string length overflow"):
            lua.check_length(b"x" * 4096)
        lua.string_limit = 0
        assert len(lua.check_length(b"x" * 5000)) == 5000

    on_runtime("5.1", test)

    async def no_limit(lua: Runtime, bench: Bench) -> None:
        assert lua.string_limit == 0

    on_runtime("5.3", no_limit)


def test_nothing_of_python_is_in_reach(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        assert (
            await bench.answer("=python,io,os,debug.sethook and debug.sethook(),package.loadlib")
            == ("nil\tnil\tnil\tnil\tnil" if version == "5.1" else "nil\tnil\tnil\tnil")
            or version == "5.3"
        )
        assert await bench.answer("=rawget(_G,'python'),_G.io,_G.os") == "nil\tnil\tnil"
        for source in (b"return debug.getregistry()", b"return getmetatable('').__index"):
            (table,) = lua.call(load(lua, source))
            assert not any("python" in str(key) for key, _ in lua.items(table))

    on_runtime(version, test)


def test_a_stopped_runtime_can_be_stopped_again(version: str) -> None:
    async def test(lua: Runtime, bench: Bench) -> None:
        lua.stop()
        lua.stop()
        assert lua.closed

    on_runtime(version, test)


def test_what_a_panic_shows_of_other_values() -> None:
    assert panic_text(5) == b"5"
    assert panic_text(None) == b"(null)"
    assert panic_text(True) == b"(null)"
