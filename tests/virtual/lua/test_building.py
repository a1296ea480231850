"""What programs see of a module that was built."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
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
