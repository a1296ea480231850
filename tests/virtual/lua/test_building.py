"""What programs see of a module that was built."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.clock import run
from bridge.virtual.interrupt import Interrupt
from bridge.virtual.lua.api import Args, Module
from tests.virtual.bench import Bench

MODULE = Module(
    "uart",
    {
        "second": 2,
        "first": b"text",
        "call": lambda arguments: arguments.check_integer(1) + 1,
        "inner": Module(
            "inner", {"deep": lambda arguments: b"deep"}, index=lambda arguments: b"no " + arguments.check_string(2)
        ),
    },
)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_entries_nest_keep_their_order_and_answer_for_other_keys(lua: str) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, modules="uart,node")
        runtime = bench.firmware.system.lua
        runtime.add_module(MODULE)
        assert (
            await bench.answer("local s='' for k,v in pairs(uart) do s=s..k..' ' end print(s)")
            == "second first call inner "
        )
        assert await bench.answer("=uart.second,uart.first,uart.call(41),uart.inner.deep()") == "2\ttext\t42\tdeep"
        assert await bench.answer("=uart.inner.other,uart.other") == "no other\tnil"
        assert await bench.answer("=ROM.uart==uart,type(uart.inner),type(uart.call)") == "true\ttable\tfunction"
        assert {b"call", b"deep", b"second"} <= runtime.loader.firmware_names
        bench.close()

    run(main())


def test_a_single_function_can_be_made_for_a_builtin() -> None:
    async def main() -> None:
        bench = await Bench.boot(modules="node")
        runtime = bench.firmware.system.lua

        def join(arguments: Args) -> bytes:
            return b"+".join(arguments)

        assert runtime.call(runtime.function(join), b"a", b"b") == (b"a+b",)
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_module_is_built_to_its_end_by_a_task_that_is_given_up(lua: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a board whose process is to end while it boots."""

    async def main() -> None:
        bench = await Bench.boot(lua=lua, modules="uart,node")
        system = bench.firmware.system
        monkeypatch.setattr(Interrupt, "wanted", lambda self: True)
        for number in range(200):
            system.lua.add_module(Module(f"m{number}", MODULE.entries))
        assert system.lua.answers.halted
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_program_is_given_up_in_what_a_function_of_the_firmware_does_in_lua(
    lua: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, modules="uart,node")
        system = bench.firmware.system

        def build(arguments: Args) -> None:
            for _ in range(400):
                system.lua.board[b"rotable"](system.lua.vm.table(), system.lua.vm.table())

        system.lua.add_module(Module("made", {"build": build}))
        monkeypatch.setattr(Interrupt, "wanted", lambda self: True)
        assert "Lua was interrupted" in await bench.type("made.build() print('went on')")
        assert system.lua.answers.halted and system.lua.answers.failure is None
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_board_that_is_given_up_while_it_compiles_its_startup_script_stands_still(
    lua: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        bench = await Bench.boot(lua=lua, modules="uart,node")
        system = bench.firmware.system

        def compile_much() -> None:
            for _ in range(400):
                system.lua.vm.compile(b"return 1", b"=init.lua")
                system.lua.add_module(Module("made", MODULE.entries))

        monkeypatch.setattr(Interrupt, "wanted", lambda self: True)
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
        system.event(compile_much)
        await bench.read(1)
        assert faults == []
        assert system.lua.answers.halted and system.lua.answers.failure is None
        bench.close()

    run(main())
