"""The tmr module."""

from __future__ import annotations

import pytest

from bridge.virtual.clock import run
from bridge.virtual.sdk.kernel import BootReason
from tests.virtual.bench import Bench


def on_bench(test, **options: object) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        bench = await Bench.boot(modules="uart,tmr,node", **options)  # type: ignore[arg-type]
        await test(bench)
        bench.close()

    run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_the_three_modes(lua: str) -> None:
    async def test(bench: Bench) -> None:
        await bench.type("function t(mode) local x=tmr.create() x:alarm(100,mode,function(s) print(mode,s==x) end) end")
        assert await bench.type("t(tmr.ALARM_SINGLE)", 0.5) == "t(tmr.ALARM_SINGLE)\r\n> 0\ttrue\r\n"
        assert await bench.type("t(tmr.ALARM_SEMI)", 0.5) == "t(tmr.ALARM_SEMI)\r\n> 2\ttrue\r\n"
        assert (await bench.type("t(tmr.ALARM_AUTO)", 0.36, 0.36)).count("1\ttrue") == 3

    on_bench(test, lua=lua)


def test_state_and_what_the_calls_return() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("t=tmr.create()")
        assert await bench.answer("=t:state()") == "nil"
        assert await bench.answer("=t:start(),t:stop()") == "false\tfalse"
        await bench.type("t:register(5000,tmr.ALARM_SEMI,function() end)")
        assert await bench.answer("=t:state()") == "false\t2"
        assert await bench.answer("=t:start(),t:start(),t:start(true)") == "true\tfalse\ttrue"
        assert await bench.answer("=t:state()") == "true\t2"
        assert await bench.answer("=t:stop(),t:stop(),t:unregister()") == "true\tfalse"
        assert await bench.answer("=t:state()") == "nil"

    on_bench(test)


def test_a_stopped_timer_is_idle_even_if_it_has_no_function() -> None:
    # app/modules/tmr.c tmr_stop sets TIMER_IDLE_FLAG in whatever mode there is.
    async def test(bench: Bench) -> None:
        await bench.type("t=tmr.create()")
        assert await bench.answer("=t:stop(),t:state()") == "false\tfalse\t3"
        assert await bench.answer("t:alarm(10,0,function(x) print(x:state()) end)") == "> nil"
        assert await bench.answer("=t:state()") == "nil"
        assert await bench.answer("=t:stop(),t:state()") == "false\tfalse\t3"
        assert await bench.answer("=t:start(),t:state()") == "true\tnil"
        assert await bench.answer("t:register(10,1,print) print(t:state()) t:unregister() print(t:state())") == (
            "false\t1\r\nnil"
        )

    on_bench(test)


def test_the_finalizer_is_a_method_too() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("t=tmr.create() t:alarm(100,0,function() print('rang') end) t:__gc()")
        assert await bench.read(0.5) == ""
        assert await bench.answer("=t:state(),t.__index==getmetatable(t)") == "nil\ttrue"
        assert await bench.answer("n=0 for k in pairs(getmetatable(t)) do n=n+1 if n<4 then print(k) end end") == (
            "__gc\r\n__index\r\nregister"
        )
        assert await bench.answer("=pcall(t.__gc,5)") == (
            "false\tbad argument #1 to '?' (tmr.timer expected, got number)"
        )

    on_bench(test)


def test_a_running_timer_lives_without_its_variable_and_a_stopped_one_does_not() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("t=tmr.create() t:alarm(500,0,function() print('rang') end) t=nil")
        assert "rang" in await bench.read(1)
        await bench.type("t=tmr.create() t:alarm(500,0,function() print('rang') end) t:stop() t=nil")
        assert await bench.read(1) == ""
        system = bench.firmware.system
        assert list(system.lua.objects) == []

    on_bench(test)


def test_a_callback_may_start_its_own_timer_again() -> None:
    async def test(bench: Bench) -> None:
        await bench.type(
            "n=0 t=tmr.create() t:alarm(50,tmr.ALARM_SEMI,function(s) n=n+1 if n<3 then s:start() end end)", 0.5
        )
        assert await bench.answer("=n") == "3"
        await bench.type(
            "n=0 t:alarm(50,0,function(s) n=n+1 if n<3 then s:alarm(20,0,function() n=n+10 end) end end)", 0.5
        )
        assert await bench.answer("=n") == "11"

    on_bench(test)


def test_an_interval_that_changes_starts_anew() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("t=tmr.create() t:alarm(1000,0,function() print('rang') end) t:interval(100)", 0.05)
        assert "rang" in await bench.read(0.2)
        assert "(Range: 1-0x68D7A3)" in await bench.answer("t:interval(0)")

    on_bench(test)


def test_time_is_board_time() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("local t=tmr.now() tmr.delay(12345) print(tmr.now()-t>=12345)") == "true"
        assert await bench.answer("local t=tmr.time() tmr.delay(3000000) tmr.delay(2000000) print(tmr.time()-t)") == "5"
        assert await bench.answer("local c=tmr.ccount() tmr.delay(1000) print(tmr.ccount()-c>=80000)") == "true"

    on_bench(test)


def test_wdclr_keeps_a_busy_loop_alive() -> None:
    async def test(bench: Bench) -> None:
        busy = "local t=tmr.now() while tmr.now()-t<1e6 do for j=1,500 do end end"
        line = f"for i=1,6 do {busy} tmr.wdclr() end print('alive')"
        assert (await bench.type(line, 8)).endswith("alive\r\n> ")
        assert bench.resets == []

    on_bench(test)


def test_the_soft_watchdog_restarts_when_it_is_not_fed() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("tmr.softwd(2)", 1.5)
        await bench.type("tmr.softwd(2)", 1.5)
        assert bench.resets == []
        await bench.read(3)
        assert bench.resets == [BootReason(2, 4)]
        await bench.type("tmr.softwd(1) tmr.softwd(-1)", 4)
        assert len(bench.resets) == 1

    on_bench(test)
