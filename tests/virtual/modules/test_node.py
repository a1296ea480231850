"""The node module beyond the recordings."""

from __future__ import annotations

import pytest

from bridge.virtual.chip.efuse import chip_id, mac_address
from bridge.virtual.clock import run
from bridge.virtual.modules.file import filesystem
from bridge.virtual.sdk.kernel import BootReason
from tests.virtual.bench import Bench


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def on_bench(test, **options: object) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        bench = await Bench.boot(modules="file,node,pipe,tmr,uart", **options)  # type: ignore[arg-type]
        await test(bench)
        bench.close()

    run(main())


def test_tasks_get_their_priority_and_run_after_the_line(lua: str) -> None:
    async def test(bench: Bench) -> None:
        said = await bench.answer("for i=0,2 do node.task.post(i,function(p) print(p) end) end print('line')")
        assert said == "line\r\n> 2\r\n1\r\n0"
        assert "(invalid  priority)" in await bench.answer("node.task.post(3,print)")
        assert "(function expected, got no value)" in await bench.answer("node.task.post(1)")

    on_bench(test, lua=lua)


def test_the_ninth_post_says_so_with_a_position(lua: str) -> None:
    async def test(bench: Bench) -> None:
        said = await bench.answer("for i=1,9 do node.task.post(2,function() end) end")
        assert said.startswith("Lua error: \tstdin:1: Task queue overflow. Task not posted")

    on_bench(test, lua=lua)


def test_setonerror_replaces_the_restart_and_can_be_taken_back() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("node.setonerror(function(e) print('caught',(e:gsub('\\n.*',''))) end)")
        assert "caught\tstdin:1: x" in await bench.type("node.task.post(function() error('x') end)", 3)
        assert bench.resets == [] and bench.firmware.system.lua.leaked == [None]
        await bench.type("node.setonerror()")
        await bench.type("node.task.post(function() error('x') end)", 3)
        assert bench.resets == [BootReason(2, 4)]

    on_bench(test)


def test_input_is_typed_for_the_prompt(lua: str) -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("node.input('print(1)\\nprint(2)\\n')") == "> 1\r\n> 2"
        # What is not a whole line yet becomes the start of whatever is typed next.
        assert await bench.answer("node.input('pri')") == ""
        assert await bench.answer("nt(3)") == "3"

    on_bench(test, lua=lua)


def test_output_to_a_pipe_that_fails_restarts_the_board() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("for i=1,8 do node.task.post(1,function() end) end node.output(function() end) print('x')", 1)
        assert bench.resets == [BootReason(2, 4)]

    on_bench(test)


def test_deep_sleep_ends_in_a_boot_that_knows() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.type("node.dsleep(2000000)", 1) == "node.dsleep(2000000)\r\n> "
        assert (await bench.read(2)).startswith("\r\nNodeMCU")
        assert await bench.answer("=node.bootreason()") == "2\t5"
        assert await bench.answer("=node.dsleepMax()>1e9") == "true"

    on_bench(test)


def test_deep_sleep_checks_neither_option_nor_time() -> None:
    # node_deepsleep gives luaL_argcheck its condition where the argument's number belongs.
    async def test(bench: Bench) -> None:
        assert await bench.answer("node.dsleep('x',9)") == ""
        assert bench.resets == []
        await bench.type("node.dsleep(1e6,9)", 2)
        assert bench.resets == [BootReason(2, 5)]

    on_bench(test)


def test_a_startup_command_is_a_string() -> None:
    async def test(bench: Bench) -> None:
        assert (await bench.answer("node.startup({command={}})")).startswith(
            "Lua error: \tstdin:1: bad argument #-1 to 'startup' (string expected, got table)\r\n"
        )
        assert await bench.answer("=node.startup({frequency='160'}).frequency") == "160"

    on_bench(test)


def test_the_size_of_the_flash_is_that_in_the_header(lua: str) -> None:
    async def test(bench: Bench) -> None:
        for nibble, said in ((2, 1 << 20), (4, 4 << 20), (9, 16 << 20), (12, 512 << 10)):
            bench.flash.erase(0, 4096)
            bench.flash.program(0, bytes([0xE9, 0, 2, nibble << 4]))
            assert await bench.answer("=node.flashsize()") == str(said)
            assert await bench.answer("=node.info('hw').flash_size") == str(said >> 10)

    on_bench(test, lua=lua)


def test_who_the_chip_is(lua: str) -> None:
    async def test(bench: Bench) -> None:
        number = chip_id(mac_address(bench.options))
        assert await bench.answer(f"=node.chipid()=={number}") == "true"
        assert await bench.answer("=node.flashid()") == str(bench.flash.jedec_id)
        assert await bench.answer("=node.flashsize()") == str(4 * 1024 * 1024)
        assert (
            await bench.answer("=node.getcpufreq(),node.setcpufreq(node.CPU160MHZ),node.getcpufreq()") == "80\t160\t160"
        )

    on_bench(test, lua=lua, address="127.0.0.9")


def test_random_stays_in_its_range(lua: str) -> None:
    async def test(bench: Bench) -> None:
        line = "for i=1,200 do local r=node.random(3,5) if r<3 or r>5 then print('bad',r) end end print(node.random(1))"
        assert await bench.answer(line) == "1"
        assert await bench.answer("local r=node.random() print(r>=0 and r<1)") == "true"
        assert "wrong number of arguments" in await bench.answer("node.random(1,2,3)")

    on_bench(test, lua=lua)


def test_startup_settings_survive_a_restart() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("node.startup{banner=false,command='@other.lua',frequency=160,delay_mount=true}")
        said = await bench.type("node.restart()", 1)
        assert said == "node.restart()\r\n> cannot open other.lua: \r\n> "
        line = "s=node.startup() print(s.banner,s.command,s.frequency,s.delay_mount)"
        assert await bench.answer(line) == "false\t@other.lua\t160\ttrue"
        await bench.type("node.startup{}")
        assert await bench.answer(line) == "true\tnil\t80\tfalse"
        assert await bench.answer("=node.startupcommand('=1')") == "true"

    on_bench(test)


def test_compile_writes_what_loadfile_reads(lua: str) -> None:
    async def test(bench: Bench) -> None:
        fs = filesystem(bench.firmware.system)
        fs.write_file(b"c.lua", b"local a = ...\nreturn a * 2, function() error('in c') end")
        assert await bench.answer("node.compile('c.lua')") == ""
        assert await bench.answer("=loadfile('c.lc')(21)") != ""
        assert (await bench.answer("=(loadfile('c.lc')(21))")).startswith("42")
        assert (await bench.answer("=pcall(select(2,loadfile('c.lc')(1)))")).startswith("false\t")
        assert "not a .lua file" in await bench.answer("node.compile('c.lc')")
        assert "cannot open nope.lua: " in await bench.answer("node.compile('nope.lua')")
        fs.write_file(b"bad.lua", b"x x")
        assert "bad.lua:1:" in await bench.answer("node.compile('bad.lua')")
        fs.write_file(b"cut.lc", (fs.read_file(b"c.lc") or b"")[:50])
        assert "precompiled chunk" in await bench.answer("=loadfile('cut.lc')")

    on_bench(test, lua=lua)


def test_stripdebug_decides_what_errors_can_say() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=node.stripdebug()") == "2"
        await bench.type("node.stripdebug(1)")
        assert "local 'a' (a nil value)" in await bench.answer("local a a.b=1")
        await bench.type("node.stripdebug(3)")
        assert "stdin" in await bench.answer("local a a.b=1")
        assert "(Invalid strip level)" in await bench.answer("node.stripdebug(4)")

    on_bench(test)


def test_the_collector_modes_are_for_51() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=pcall(string.rep,'x',5000)") == "false\tstring length overflow"
        await bench.type("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)")
        assert await bench.answer("=#('x'):rep(5000),#('x'):rep(5000)..'y'") == "5000\t5000y"
        await bench.type("node.egc.setmode(node.egc.ON_MEM_LIMIT,-4096)")
        assert await bench.answer("=#(('x'):rep(5000)..'y')") == "5001"
        await bench.type("node.egc.setmode(node.egc.ALWAYS,4096)")
        assert "string length overflow" in await bench.answer("local a=('x'):rep(4000) a=a..('y'):rep(96)")
        total, _ = (await bench.answer("=node.egc.meminfo()")).split("\t")
        assert int(total) > 1000

    on_bench(test)
    run(_no_egc_on_53())


async def _no_egc_on_53() -> None:
    bench = await Bench.boot(lua="5.3", modules="node")
    assert await bench.answer("=node.egc") == "nil"
    bench.close()


def test_there_is_no_lua_flash_store(lua: str) -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=node.LFS.config.lfs_size,node.LFS.anything,node.LFS.list(),node.LFS.time") == (
            "0\tnil\tnil\tnil"
        )
        assert await bench.answer("=node.LFS.reload('x')") == "No LFS partition allocated"
        assert (await bench.answer("=node.flashreload('x')")).startswith("Warning, deprecated API! node.flashreload.")
        assert await bench.answer("=node.getpartitiontable().lfs_size") == "0"

    on_bench(test, lua=lua)
