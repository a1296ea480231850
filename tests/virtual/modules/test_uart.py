"""The uart module beyond the recordings."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def on_bench(test, **options: object) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        bench = await Bench.boot(modules="uart,tmr,node", **options)  # type: ignore[arg-type]
        await test(bench)
        bench.close()

    run(main())


def test_setup_changes_the_speed_after_what_was_queued() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.type("uart.setup(0,9600,8,0,1,1) print('slow')")
        assert said.endswith("slow\r\n> ")
        assert bench.firmware.baud == 9600
        assert await bench.answer("=uart.getconfig(0)") == "9600\t8\t0\t1"

    on_bench(test)


def test_unknown_settings_become_the_defaults() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.type("=uart.setup(1,12345,9,7,9)")
        assert "12345" in said
        assert await bench.answer("=uart.getconfig(1)") == "9600\t8\t0\t1"
        assert await bench.answer("uart.setup(1,115200,7,uart.PARITY_EVEN,uart.STOPBITS_2) =1") != ""
        assert await bench.answer("uart.setup(1,115200,7,uart.PARITY_EVEN,uart.STOPBITS_2)") == ""
        assert await bench.answer("=uart.getconfig(1)") == "115200\t7\t1\t2"

    on_bench(test)


def test_a_uart_that_does_not_exist_is_named_with_its_sign() -> None:
    # MOD_CHECK_ID casts to unsigned, lua_pushfstring's %d takes an int (app/lua/lobject.c).
    async def test(bench: Bench) -> None:
        for line in ("uart.setup(-1,115200,8,0,1)", "uart.write(-1)"):
            assert (await bench.answer(line)).startswith("Lua error: \tstdin:1: uart -1 does not exist\r\n")

    on_bench(test)


def test_the_second_uart_speaks_to_nobody() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("uart.write(1,'quiet')") == ""

    on_bench(test)


def test_fifodepth_counts_what_has_not_left() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.answer("uart.write(0,('x'):rep(100)) print(uart.fifodepth(0,uart.DIR_TX)>90)")
        assert said.endswith("true")
        assert (await bench.answer("uart.fifodepth(3)")).startswith(
            "Lua error: \tstdin:1: bad argument #1 to 'fifodepth' (Bad UART id; must be 0 or 1)"
        )

    on_bench(test)


def test_a_long_write_holds_the_cpu_at_wire_speed() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.answer("local t=tmr.now() uart.write(0,('x'):rep(1024)) print(tmr.now()-t)")
        assert 77_000 < int(said.lstrip("x")) < 85_000

    on_bench(test)


def test_raw_data_that_is_lost_is_the_oldest() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("n=0 uart.on('data',1,function(s) n=n+1 if n==1 then tmr.delay(100000) end last=s end,0)")
        await bench.send(b"a" + b"b" * 500 + b"c")
        await bench.read(1)
        await bench.send(b"")
        system = bench.firmware.system
        assert system.lua.call(system.lua.loader.compile(b"return n, last", b"=t")[0]) == (257, b"c")

    on_bench(test, cpu=0)


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_a_callback_may_change_the_callback(lua: str) -> None:
    async def test(bench: Bench) -> None:
        await bench.type("function b(s) uart.write(0,'b'..s) end")
        await bench.type("uart.on('data',2,function(s) uart.write(0,'a'..s) uart.on('data',3,b,0) end,0)")
        await bench.send(b"12345")
        assert await bench.read() == "a12b345"

    on_bench(test, lua=lua)


def test_a_collected_callback_is_still_called() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("uart.on('data',1,function(s) uart.write(0,s,s) end,0)")
        bench.firmware.system.collect()
        await asyncio.sleep(0.1)
        await bench.send(b"x")
        assert await bench.read() == "xx"

    on_bench(test)
