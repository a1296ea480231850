"""A board in a program's own process, whose Lua goes on for ever, does not hold Ctrl-C up."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from bridge.virtual import interrupt
from bridge.virtual.clock import run
from tests.virtual.bench import Bench

#: Prints a word when Lua runs, and how the program ended.
PROGRAM = """
import asyncio, signal, threading, time
from bridge.virtual.board import VirtualBoard

async def main():
    async with VirtualBoard() as board:
        await board.answered()
        stop = asyncio.Event()
        HANDLER
        began = time.process_time()
        def tell():
            while time.process_time() < began + 1:
                time.sleep(0.001)
            print("spinning", flush=True)
        threading.Thread(target=tell, daemon=True).start()
        board.host_write(b"while true do pcall(tmr.wdclr) end\\n")
        try:
            await stop.wait()
            print("stopped", flush=True)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize(
    ("handler", "ending"),
    [
        ("pass", "cancelled interrupted"),  # asyncio.run cancels its task at the first Ctrl-C
        ("signal.signal(signal.SIGINT, signal.default_int_handler)", "interrupted"),
        ("asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)", "stopped"),
    ],
    ids=["asyncio.run", "a handler that raises", "a handler of the loop"],
)
def test_ctrl_c_ends_a_program_whose_board_goes_on_for_ever(handler: str, ending: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("HANDLER", handler)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "spinning\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            assert (process.returncode, err) == (0, "")
            assert set(ending.split()) <= set(out.split())
        finally:
            process.kill()


def test_who_asks_ends_the_task_and_who_withdraws_lets_the_next_run() -> None:
    async def main() -> None:
        bench = await Bench.boot()
        try:
            interrupt.ask()
            said = await bench.type("while true do tmr.wdclr() end", idle=1.0)
            assert "[virtual board] Lua was interrupted; the board stands still until it is reset." in said
        finally:
            interrupt.withdraw()
        assert await bench.type("=1", idle=1.0) == ""
        bench.close()

    run(main())


def test_handlers_are_put_back_and_called_when_the_task_has_ended() -> None:
    async def main() -> list[str]:
        told: list[str] = []
        own = signal.signal(signal.SIGTERM, lambda *_: told.append("told"))
        try:
            handler = signal.getsignal(signal.SIGTERM)
            look = interrupt.Interrupt(asyncio.get_running_loop())
            look.begin()
            while signal.getsignal(signal.SIGTERM) is handler:
                assert not look.wanted()
            signal.raise_signal(signal.SIGTERM)
            assert look.wanted() and told == []
            await asyncio.sleep(0)
            assert signal.getsignal(signal.SIGTERM) is handler and not look.wanted()
            return told
        finally:
            signal.signal(signal.SIGTERM, own)

    assert asyncio.run(main()) == ["told"]
