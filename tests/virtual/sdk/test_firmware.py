"""The firmware boots, starts init.lua, takes lines, and ends its boots as the chip does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip import rcr
from bridge.virtual.chip.chip import Mode
from bridge.virtual.clock import run
from bridge.virtual.modules.file import filesystem
from bridge.virtual.options import VirtualOptions
from bridge.virtual.sdk.kernel import BootReason
from tests.virtual.bench import Bench, formatted_flash

PROMPT = "\r\n> "


def on_bench(test: Callable[[Bench], Awaitable[None]], **options: object) -> None:
    async def main() -> None:
        bench = await Bench.boot(**options)  # type: ignore[arg-type]
        await test(bench)
        bench.close()

    run(main())


@pytest.mark.parametrize(("lua", "release"), [("5.1", "Lua 5.1.4"), ("5.3", "Lua 5.3.6")])
def test_boot_says_banner_missing_init_and_prompt(lua: str, release: str) -> None:
    async def test(bench: Bench) -> None:
        text = bench.boot_text
        assert text.startswith("\r\nNodeMCU 3.0.0.0 bench\r\n\tbranch: release\r\n")
        assert text.endswith(f"powered by {release} on SDK 3.0.1-dev(fce080e)\r\ncannot open init.lua: \r\n> ")

    on_bench(test, lua=lua)


def test_only_the_modules_of_the_image_are_there() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=tmr,bit,type(node)") == "nil\tnil\ttable"

    on_bench(test, modules="node,uart")


def test_the_console_echoes_unless_the_board_is_made_without() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.type("=1+1") == "2\r\n> "

    on_bench(test, echo=False)


def test_init_lua_runs_before_the_first_prompt_and_its_error_is_shown() -> None:
    async def test(bench: Bench) -> None:
        fs = filesystem(bench.firmware.system)
        fs.write_file(b"init.lua", b'print("INIT")\nerror("bad init")')
        said = await bench.type("node.restart()", 1)
        assert said.endswith(
            "fce080e)\r\nINIT\r\ninit.lua:2: bad init\r\nstack traceback:\r\n\t[C]: in function 'error'\r\n"
            "\tinit.lua:2: in main chunk\r\n\t[C]: ?\r\n> "
        )
        assert bench.resets == [BootReason(2, 4)]
        assert await bench.answer("=node.bootreason()") == "2\t4"

    on_bench(test)


def test_startup_options_live_in_flash() -> None:
    flash = formatted_flash()
    rcr.write(flash, rcr.Record.STARTUP_OPTION, (rcr.StartupOption.NO_BANNER | 2).to_bytes(4, "little"))
    rcr.write(flash, rcr.Record.INIT_STRING, b'print("from flash", node.getcpufreq())\0')

    async def test(bench: Bench) -> None:
        assert bench.boot_text == "from flash\t160\r\n> "

    on_bench(test, flash=flash)


def test_a_panic_hangs_until_the_watchdog() -> None:
    async def test(bench: Bench) -> None:
        system = bench.firmware.system
        function, _ = system.lua.loader.compile(b'error("boom")', b"=net")
        began = asyncio.get_running_loop().time()
        system.event(lambda: system.lua.unprotected(function))
        said = await bench.read(5)
        assert said.startswith("PANIC: unprotected error in call to Lua API (net:1: boom)\r\n\r\nNodeMCU")
        assert bench.resets == [BootReason(4, 3)]
        assert asyncio.get_running_loop().time() - began > 3.2

    on_bench(test)


def test_nothing_of_a_task_runs_on_after_the_watchdog_bit() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.type('pcall(function() while true do end end) print("still here")', 5)
        assert "still here" not in said.partition("\r\n")[2]
        assert bench.resets == [BootReason(4, 3)]
        await bench.type("co=coroutine.wrap(function() while true do end end) pcall(co) print('alive')", 5)
        assert bench.resets == [BootReason(4, 3)] * 2

    on_bench(test)


@pytest.mark.parametrize(
    "line",
    [
        "xpcall(function() error('a') end, function() while true do end end)",
        "table.sort({1,2,3},function() while true do end end)",
        "=#(('x'):gsub('.',function() while true do end end))",
        "setmetatable({},{__index=function() while true do end end}).x()",
        "uart.write(0,('x'):rep(4000)) uart.write(0,('x'):rep(4000)) while true do pcall(uart.write,0,'y') end",
    ],
)
@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_no_endless_loop_escapes_the_watchdog(lua: str, line: str) -> None:
    async def test(bench: Bench) -> None:
        await bench.type(line, 5, 30)
        assert bench.resets == [BootReason(4, 3)]

    on_bench(test, lua=lua)


def test_an_endless_loop_ends_where_computing_is_free() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("while true do end", 1)
        assert bench.resets == [BootReason(4, 3)]

    on_bench(test, cpu=0)


def test_callback_errors_are_printed_and_restart_the_board_after_two_seconds() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.type("node.task.post(function() error({}) end)", 1)
        assert "> table: 0x" in said and bench.resets == []
        await bench.read(2)
        assert bench.resets == [BootReason(2, 4)]

    on_bench(test)


def test_room_is_what_the_ring_takes_while_nothing_runs() -> None:
    async def test(bench: Bench) -> None:
        assert bench.firmware.room() == 256
        await bench.send(b"tmr.delay(500000)\n")
        await asyncio.sleep(0.1)
        assert bench.firmware.room() == 0
        await bench.read(1)
        assert bench.firmware.room() == 256

    on_bench(test)


def test_a_stopped_board_is_silent() -> None:
    async def test(bench: Bench) -> None:
        await bench.type("tmr.create():alarm(100,1,function() print('tick') end)")
        bench.firmware.stop()
        await bench.read(0)
        await bench.send(b"=1\n")
        assert await bench.read(1) == ""

    on_bench(test)


def test_a_ring_that_was_filled_while_the_firmware_began_does_not_stop_a_line_without_pacing() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(baud_pacing=False, cpu=0, flash=0)) as board:
            heard = bytearray()
            board.set_host_receiver(heard.extend)

            def began(mode: Mode) -> None:
                if mode is Mode.APPLICATION:
                    board.host_write(b"\x7f" * 600 + b"\r\nprint(6*7)\r\n")

            board.chip.on_mode = began
            board.reset()
            await board.answered()
            await board.drain()
            await board.answered()
            await asyncio.sleep(1)
            assert b"42\r\n" in heard

    run(main())
