from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import FlashError, PortNotFound
from bridge.flashing.output import FlashProgress
from bridge.flashing.start import await_prompt, listen
from bridge.opening import open_board
from bridge.ports.open import open_port
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image

QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0)


def damage(board: VirtualBoard, what: str) -> None:
    data = bytearray(image())
    if what == "size":
        data[3] &= 15
    if what == "mode":
        data[100] ^= 1
    if what == "init-data":
        data[0xF000] = 0
    board.flash.erase(0, board.flash.size)
    if what != "blank":
        board.flash.program(0, bytes(data))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("blank", "finds no image in the flash"),
        ("size", "header says 512 KB"),
        ("mode", "checksum error"),
        ("init-data", "init data of the radio"),
    ],
)
def test_a_board_that_does_not_come_up_is_explained(what: str, words: str) -> None:
    stages: list[str] = []

    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            damage(board, what)
            board.reset()
            with pytest.raises(FlashError, match=f"does not come up: .*{words}"):
                await await_prompt(server.url, seconds=0.5, progress=lambda step: stages.append(step.stage))
            await server.close()

    asyncio.run(scenario())
    assert stages == ["starting", "listening to the boot text"]


def test_the_first_boot_with_its_formatting_is_waited_for() -> None:
    stages: list[FlashProgress] = []

    async def scenario() -> None:
        # The flash's time at a tenth: formatting takes more than four seconds.
        async with VirtualBoard(replace(QUICK, flash=0.1, blank=True)) as board:
            server = await serve_rfc2217(board)
            board.flash.program(0, image())
            board.reset()
            await await_prompt(server.url, seconds=3.0, progress=stages.append)
            await server.close()

    asyncio.run(scenario())
    assert "formatting the file system" in [step.stage for step in stages]


def test_the_first_boot_of_a_large_flash_is_waited_for_without_a_reset() -> None:
    stages: list[str] = []

    async def scenario() -> float:
        async with VirtualBoard(VirtualOptions(clock="virtual", flash_size=16 << 20, blank=True)) as board:
            board.flash.program(0, image(size=16 << 20))
            board.reset()
            await await_prompt(VirtualPort(board), progress=lambda step: stages.append(step.stage))
            return asyncio.get_running_loop().time()

    assert clock.run(scenario()) > 150.0
    assert stages == ["starting", "formatting the file system"]


def test_a_board_that_falls_silent_while_it_formats_is_not_reset() -> None:
    stages: list[str] = []

    async def scenario() -> None:
        # A sector takes two seconds, in a flash that is about to die: the dots are half a minute apart.
        async with VirtualBoard(VirtualOptions(clock="virtual", flash=50, blank=True)) as board:
            board.flash.program(0, image())
            board.reset()
            with pytest.raises(FlashError, match="was making its file system, and has fallen silent") as caught:
                await await_prompt(VirtualPort(board), progress=lambda step: stages.append(step.stage))
            assert "power" in str(caught.value.remedy)

    clock.run(scenario())
    assert stages == ["starting", "formatting the file system"]  # and no listening, which resets


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("uart.on('data', 0, function() end, 0)", "no console comes up"),
        ("while true do end", "restarts again and again"),
        ("node.restart()", "restarts again and again"),
    ],
)
def test_a_program_of_the_board_that_is_in_the_way_is_told_with_the_ways_out(
    program: str, words: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        url = f"virtual:?clock=virtual&flash_size={1 << 20}&flash_file={tmp_path / 'flash'}"
        async with open_board(url) as board:
            await board.file.putcontents("init.lua", program.encode())
        with pytest.raises(FlashError, match=words) as caught:
            await await_prompt(url)
        for option in ("--no-wait", "--erase", "all files and Wi-Fi settings"):
            assert option in str(caught.value.remedy)

    clock.run(scenario())


def test_speed_and_receiver_are_given_back() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            port = await open_port(server.url)
            finding = await listen(port, seconds=3.0)
            assert finding.kind == "started" and port.baud == 115_200
            await port.close()
            await server.close()

    asyncio.run(scenario())


def test_a_port_that_is_gone() -> None:
    with pytest.raises(PortNotFound):
        asyncio.run(await_prompt("rfc2217://127.0.0.1:9"))


def test_how_often_it_restarts_is_told_whatever_the_program_says_of_itself(tmp_path: Path) -> None:
    program = "print('PANIC: unprotected error in call to Lua API (no, never)') while true do end"

    async def scenario() -> None:
        url = f"virtual:?clock=virtual&flash_file={tmp_path / 'flash'}"
        async with open_board(url) as board:
            await board.file.putcontents("init.lua", program)
        with pytest.raises(FlashError, match=r"again and again \(\d times within \d+ s \(PANIC: .*\(no, never\)"):
            await await_prompt(url)

    clock.run(scenario())
