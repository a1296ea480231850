from __future__ import annotations

import asyncio

import pytest

from bridge.errors import AgentError, LuaError, NotNodeMCU, ReplError
from bridge.inspect import inspect_board
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_facts_and_nothing_left_behind(lua: str) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", lua=lua)) as board:
            await board.answered()
            port = VirtualPort(board)
            before = port.board.options
            facts = await inspect_board(port)
            assert facts["lua"] == f"Lua {lua}" and facts["version"] == "3.0.0" and facts["number"] == "float"
            assert facts["modules"] == list(before.module_names)
            heap, chip_id = facts["heap"], facts["chip_id"]
            assert isinstance(heap, int) and heap > 20_000 and isinstance(chip_id, str) and len(chip_id) == 6
            assert (facts["flash_kb"], facts["flash_hz"], facts["lfs_size"]) == (4096, 40_000_000, 0)
            assert facts["ssl"] is True and facts["ip"] == before.address and None not in facts.values()
            repl = Repl(port)
            assert await repl.line("=_bridge") == b"nil"
            assert await repl.line("=6*7") == b"42"
            repl.release()
            await port.close()

    clock.run(main())


@pytest.mark.parametrize("number", ["float", "integer"])
def test_firmware_2x_says_what_its_eight_numbers_are(number: str) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", firmware="2.2.1", number=number)) as board:
            await board.answered()
            facts = await inspect_board(VirtualPort(board))
            assert (facts["lua"], facts["version"], facts["number"]) == ("Lua 5.1", "2.2.1", number)
            assert (facts["flash_kb"], facts["flash_hz"], facts["flash_mode"]) == (4096, 40_000_000, 2)
            assert facts["ip"] == board.options.address and facts["mac"] is not None
            assert {name for name, fact in facts.items() if fact is None} == {
                "release", "commit", "modules", "ssl", "lfs_size"
            }  # fmt: skip

    clock.run(main())


def test_firmware_without_node_is_said_to_lack_it() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", modules="tmr,uart,net")) as board:
            await board.answered()
            port = VirtualPort(board)
            with pytest.raises(AgentError, match="cannot say what it is.*'node'.*flash one that has node") as caught:
                await inspect_board(port)
            assert not isinstance(caught.value, LuaError) and caught.value.port == port.url
            repl = Repl(port)
            assert await repl.line("=_nb") == b"nil"
            repl.release()
            await port.close()

    clock.run(main())


def test_firmware_with_ssl_says_so() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", ssl=True)) as board:
            await board.answered()
            assert (await inspect_board(VirtualPort(board)))["ssl"] is True

    clock.run(main())


def test_without_wifi_and_net() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", modules="node,tmr,uart")) as board:
            await board.answered()
            facts = await inspect_board(VirtualPort(board))
            assert facts["modules"] == ["node", "tmr", "uart"] and facts["ip"] is None and facts["mac"] is None

    clock.run(main())


def test_an_empty_chip() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", blank=True)) as board:
            with pytest.raises(NotNodeMCU):
                await inspect_board(VirtualPort(board))

    clock.run(main())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_a_bad_line_it_is_told_in_pieces(seed: int) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", drop=0.01, flip=0.01, seed=seed)) as board:
            await board.answered()
            facts = await inspect_board(VirtualPort(board))
            assert facts["modules"] == list(board.options.module_names) and None not in facts.values()

    clock.run(main())


def test_it_gives_up_when_nothing_gets_through() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as board:
            await board.answered()
            port = VirtualPort(board)
            began = asyncio.get_running_loop().time()
            # The prompt is found, and from then on the line carries nothing.
            asyncio.get_running_loop().call_later(0.1, board.hold_cpu)
            with pytest.raises(ReplError, match="within 10 s|for 10 s"):
                await inspect_board(port)
            assert asyncio.get_running_loop().time() - began < 30

    clock.run(main())
