"""A whole board on the virtual clock: what its plug, its buttons and its options do."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import subprocess
import sys
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lua import vm
from bridge.virtual.options import FAULT_TIMES, VirtualOptions
from tests.variants import by_night

#: `node.bootreason()`'s first number.
CAUSES = {"reset": b"2", "brown_out": b"1", "replug": b"1", "starve_watchdog": b"4"}


class Terminal:
    """A person at the host's end of a board."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self.seen = b""
        self._news = asyncio.Event()
        board.set_host_receiver(self._arrived)

    def _arrived(self, data: bytes) -> None:
        self.seen += data
        self._news.set()

    async def until(self, text: bytes, timeout: float = 30.0) -> bytes:
        """What is seen up to and with a text; it is taken away."""
        async with asyncio.timeout(timeout):
            while text not in self.seen:
                self._news.clear()
                await self._news.wait()
        end = self.seen.index(text) + len(text)
        taken, self.seen = self.seen[:end], self.seen[end:]
        return taken

    async def line(self, text: bytes) -> bytes:
        """What the board answers to a line, without the echo and the prompt."""
        self.board.host_write(text + b"\n")
        await self.until(text + b"\r")
        answer = await self.until(b"\n> ")
        return answer[1 : -len(b"\r\n> ")]


def on_a_board(
    scenario: Callable[[VirtualBoard, Terminal], Awaitable[None]], options: VirtualOptions | None = None
) -> None:
    async def main() -> None:
        board = VirtualBoard(options)
        terminal = Terminal(board)
        await board.start()
        try:
            await scenario(board, terminal)
        finally:
            await board.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        left = [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        assert left == [], "a closed board leaves nothing on the loop"

    clock.run(main())


def test_a_board_from_the_shop_boots_to_its_prompt_and_answers() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        assert await board.answered()
        boot = await terminal.until(b"\n> ")
        assert b"NodeMCU 3.0.0.0" in boot and b"Formatting" not in boot
        assert b"modules: " + ",".join(board.options.module_names).encode() in boot
        assert await terminal.line(b"=1+1") == b"2"

    on_a_board(scenario)


@pytest.mark.parametrize("again", ["reset", "brown_out", "starve_watchdog", "replug"])
def test_what_makes_a_board_boot_again_takes_lua_and_leaves_files(again: str) -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        await terminal.line(b'x=5 file.putcontents("a.txt","kept")')
        if again == "replug":
            board.unplug()
            board.unplug()
            assert not board.plugged
            board.host_write(b"=x\n")
            terminal.seen = b""
            await asyncio.sleep(5)
            assert terminal.seen == b""
            board.plug()
        else:
            getattr(board, again)()
        assert await board.answered()
        assert b"NodeMCU" in await terminal.until(b"\n> ")
        assert await terminal.line(b'=x,file.getcontents("a.txt")') == b"nil\tkept"
        await terminal.line(b"raw,why=node.bootreason()")
        assert await terminal.line(b"=raw") == CAUSES[again]

    on_a_board(scenario)


@pytest.mark.parametrize("name", [name for name in FAULT_TIMES if name != "unplug_after_s"])
def test_faults_at_a_time_come_once(name: str) -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        await asyncio.sleep(20)
        assert terminal.seen.count(b"NodeMCU") == 1

    on_a_board(scenario, dataclasses.replace(VirtualOptions(), **{name: 3.0}))


def test_an_unplug_at_a_time_is_told_to_the_ends_and_the_board_is_off() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        gone = asyncio.Event()
        board.on_unplug.append(gone.set)
        async with asyncio.timeout(10):
            await gone.wait()
        assert asyncio.get_running_loop().time() == pytest.approx(3)
        assert not board.plugged

    on_a_board(scenario, VirtualOptions(unplug_after_s=3))


def test_a_board_that_stands_still_takes_bytes_and_answers_when_it_goes_on() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.hold_cpu()
        board.host_write(b"=1\n=2\n")
        await asyncio.sleep(1)
        assert terminal.seen == b""
        board.release_cpu()
        await asyncio.sleep(1)
        # The input task has both lines before the prompt's task, of lower priority, has run the first.
        assert terminal.seen == b"=1\r\n=2\r\n1\r\n> 2\r\n> "

    on_a_board(scenario)


def test_what_overruns_the_ring_of_a_board_that_stands_still_is_lost() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.hold_cpu()
        board.host_write(b"-" * 600 + b"\n")
        await board.drain()
        board.release_cpu()
        assert await terminal.until(b"\r\n> ") == b"-" * 255 + b"\r\n> "

    on_a_board(scenario)


@pytest.mark.parametrize("again", ["reset", "brown_out", "starve_watchdog"])
def test_a_board_that_stands_still_boots_again_all_the_same(again: str) -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.hold_cpu()
        getattr(board, again)()
        await terminal.until(b"\n> ")
        assert await terminal.line(b"=1+1") == b"2"

    on_a_board(scenario)


@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
def test_a_task_that_computes_for_ever_leaves_a_silent_board_and_a_loop_that_runs(lua: str) -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.host_write(b"local n=0 while true do n=n+1 if n%100000==0 then tmr.wdclr() end end\n")
        await terminal.until(b"[virtual board] Lua computed for 60 s in one task; ", timeout=100)
        await terminal.until(b"until it is reset.\r\n")
        board.host_write(b"=1\n")
        await asyncio.sleep(100)
        assert terminal.seen == b""
        board.reset()
        await terminal.until(b"\n> ")
        assert await terminal.line(b"=1+1") == b"2"

    on_a_board(scenario, VirtualOptions(lua=lua))


def test_a_task_that_waits_for_long_is_not_one_that_computes_for_ever() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.host_write(b"for i=1,100 do tmr.delay(1000000) tmr.wdclr() end print('done')\n")
        await terminal.until(b"\r\ndone\r\n> ", timeout=200)

    on_a_board(scenario)


def test_a_blank_board_says_why_it_does_not_boot() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        board.set_host_baud(74880)
        assert await board.answered()
        assert b"rst cause:1" in terminal.seen and b"NodeMCU" not in terminal.seen

    on_a_board(scenario, VirtualOptions(blank=True))


def test_a_flash_file_is_the_same_board_again(tmp_path: Path) -> None:
    options = VirtualOptions(flash_file=str(tmp_path / "flash.bin"))

    async def first(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        await terminal.line(b'file.putcontents("init.lua","print(\\"mine\\")")')

    async def second(board: VirtualBoard, terminal: Terminal) -> None:
        assert b"mine" in await terminal.until(b"\n> ")

    on_a_board(first, options)
    on_a_board(second, options)


@pytest.mark.parametrize("option", ["flash_file", "calibration"])
def test_a_file_that_does_not_fit_is_refused(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"short")

    async def main() -> None:
        board = VirtualBoard(dataclasses.replace(VirtualOptions(), **{option: str(tmp_path / "file")}))
        with pytest.raises(UsageError):
            await board.start()
        await board.close()

    clock.run(main())


def test_the_console_garbles_at_another_baud_and_follows_uart_setup() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.host_write(b"uart.setup(0,921600,8,0,1,1)\n")
        await board.drain()
        await asyncio.sleep(0.2)
        terminal.seen = b""
        board.host_write(b"=1+1\n")
        await asyncio.sleep(0.5)
        assert b"2" not in terminal.seen
        board.set_host_baud(921600)
        board.host_write(b"\n\n")
        await asyncio.sleep(0.2)
        assert await terminal.line(b"=2+2") == b"4"

    on_a_board(scenario)


def test_without_pacing_nothing_is_overrun() -> None:
    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        await terminal.until(b"\n> ")
        board.host_write(b"".join(b"tmr.delay(20000) n=(n or 0)+1\n" for _ in range(60)))
        await board.drain()
        await asyncio.sleep(5)
        assert await terminal.line(b"=n") == b"60"

    on_a_board(scenario, VirtualOptions(baud_pacing=False))


def test_the_same_seed_gives_the_same_run() -> None:
    async def once() -> bytes:
        board = VirtualBoard(VirtualOptions(seed=5, drop=0.01, flip=0.01))
        terminal = Terminal(board)
        async with board:
            await board.answered()
            for n in range(20):
                board.host_write(b"print(%d, node.heap())\n" % n)
                await asyncio.sleep(0.1)
        return terminal.seen

    first = clock.run(once())
    assert first == clock.run(once())


def test_boards_of_one_process_have_addresses_of_their_own() -> None:
    async def main() -> set[str | None]:
        async with VirtualBoard() as one, VirtualBoard() as two:
            return {one.options.address, two.options.address}

    assert len(asyncio.run(main())) == 2


#: Leaves a bit of everything behind: handlers, timers, files, sockets that listen and that connect, coroutines, pipes.
BUSY = (
    b"T={tmr.create(),tmr.create()} T[1]:alarm(5,1,function() N=(N or 0)+1 end)",
    b"F=file.open('kept','w') F:write(('x'):rep(3000))",
    b"S=net.createServer() S:listen(80,function(s) s:on('receive',print) end)",
    b"C=net.createConnection() C:on('connection',function(s) s:send('x') end) C:connect(80,'10.77.0.1')",
    b"U=net.createUDPSocket() U:listen(53) U:on('receive',print)",
    b"P=pipe.create(function(p) p:read(9) return false end) P:write(('y'):rep(70))",
    b"W=coroutine.wrap(function() coroutine.yield(P) end) W()",
    b"gpio.mode(1,gpio.INT) gpio.trig(1,'both',print) adc.read(0) node.task.post(function() end)",
)


@pytest.mark.parametrize("how", [{"lua": "5.1"}, {"lua": "5.1", "number": "integer"}, {"lua": "5.3"}])
@pytest.mark.parametrize("resets", [0, 2])
def test_a_closed_board_is_gone(how: dict[str, str], resets: int) -> None:
    left: dict[str, weakref.ref[object]] = {}
    # What tests before have left: the traceback of one that failed holds its board.
    held = {id(runtime) for runtime in vm._closed}

    async def scenario(board: VirtualBoard, terminal: Terminal) -> None:
        for boot in range(resets + 1):
            assert await board.answered()
            terminal.seen = b""
            for line in BUSY:
                assert await terminal.line(line) == b""
            application: Any = board.chip.application
            for name, part in (("system", application.system), ("VM", application.system.lua.vm)):
                left[f"{name} of boot {boot}"] = weakref.ref(part)
            if boot < resets:
                board.reset()
        left["board"], left["flash"], left["network"] = map(weakref.ref, (board, board.flash, board.network))

    on_a_board(scenario, VirtualOptions(**how))  # type: ignore[arg-type]
    gc.collect()
    vm.sweep()
    assert [name for name, part in left.items() if part() is not None] == []
    assert [runtime for runtime in vm._closed if id(runtime) not in held] == []


@pytest.mark.parametrize(
    ("then", "said", "code"),
    [
        ("pass", "", 0),
        ("import gc; gc.collect(); asyncio.run(main())", "", 0),
        ("asyncio.run(busy())", "LinkTimeout", 1),
    ],
)
def test_a_program_may_leave_its_board_open(then: str, said: str, code: int) -> None:
    program = f"""
import asyncio, bridge
async def main():
    board = await bridge.open_board("virtual:")
    await board.net.createConnection()
    return board
async def busy():
    await (await main()).exec("while true do end", timeout=1)
asyncio.run(main())
{then}
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert run.returncode == code and said in run.stderr
