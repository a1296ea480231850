from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.opening import open_board
from bridge.ports.open import open_port
from bridge.terminal.prompt_files import PromptFiles
from bridge.virtual import clock


async def no_reset() -> None: ...


@pytest.mark.parametrize("options", ["", "&lua=5.3", "&firmware=2.2.1", "&flip=0.002&seed=3"])
def test_any_bytes_go_both_ways(options: str) -> None:
    async def scenario() -> None:
        port = await open_port(f"virtual:?clock=virtual{options}")
        files = PromptFiles(port, no_reset)
        content = bytes(range(256)) + b"\r\n\0'\"" * 60
        await files.put("a b", content)
        assert await files.get("a b") == content
        await files.put("empty", b"")
        assert await files.get("empty") == b""
        with pytest.raises(UsageError, match="has no file nothing"):
            await files.get("nothing")
        with pytest.raises(UsageError, match="needs the agent"):
            await files.run_file("x", b"")
        await port.close()

    clock.run(scenario())


def test_a_full_flash_leaves_the_old_file_and_nothing_open() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&flash=0&cpu=0&flash_size=1048576")
        async with open_board(port) as board:
            await board.file.putcontents("init.lua", b"old")
            space = await board.files.df()
            await board.file.putcontents("filler", bytes(space.largest - 8_000))
        files = PromptFiles(port, no_reset)
        with pytest.raises(UsageError, match="init.lua does not fit on the board's flash"):
            await files.put("init.lua", b"new" * 5_000)
        assert await files.get("init.lua") == b"old"
        await files.put("init.lua", b"new" * 1_000)
        async with open_board(port) as board:
            assert await board.file.list() == {"init.lua": 3_000, "filler": space.largest - 8_000}
        await port.close()

    clock.run(scenario())


def test_a_program_that_has_all_files_open() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&flash=0&cpu=0")
        files = PromptFiles(port, no_reset)
        await files.put("init.lua", b"old")
        async with open_board(port) as board:
            await board.exec("held = {} for i = 1, 3 do held[i] = file.open('held', i == 1 and 'w' or 'r') end")
        with pytest.raises(UsageError, match="opens no file for init.lua"):
            async with open_board(port) as board:
                await board.exec("held[4] = file.open('held')")
            await files.put("init.lua", b"new")
        async with open_board(port) as board:
            await board.exec("for i = 1, 4 do held[i]:close() end held = nil")
            assert await board.file.list() == {"init.lua": 3, "held": 0}
        assert await files.get("init.lua") == b"old"
        await port.close()

    clock.run(scenario())


def test_a_firmware_without_files() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&modules=node,tmr,uart")
        with pytest.raises(UsageError, match="may lack file"):
            await PromptFiles(port, no_reset).put("x", b"1")
        await port.close()

    clock.run(scenario())


def test_a_reset_is_that_of_the_port() -> None:
    pressed: list[str] = []

    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual")

        async def press() -> None:
            pressed.append("pressed")

        await PromptFiles(port, press).reset()
        await port.close()

    clock.run(scenario())
    assert pressed == ["pressed"]


def test_a_file_system_that_does_not_rename_keeps_the_old_file() -> None:
    async def scenario() -> None:
        port = await open_port("virtual:?clock=virtual&flash=0&cpu=0")
        files = PromptFiles(port, no_reset)
        await files.put("init.lua", b"old")
        async with open_board(port) as board:
            await board.exec("file = setmetatable({rename = function() return false end}, {__index = file})")
        with pytest.raises(UsageError, match="did not put init.lua in its place"):
            await files.put("init.lua", b"new")
        assert await files.get("init.lua") == b"old"
        await port.close()

    clock.run(scenario())
