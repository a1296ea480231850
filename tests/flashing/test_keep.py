from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import FileSystemFull
from bridge.flash import flash_image
from bridge.flashing.keep import look_at_files, put_files, read_files
from bridge.flashing.kept import Kept
from bridge.opening import open_board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image, parts
from tests.test_flash import MANY

QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0, mac="5c:cf:7f:01:02:03")
#: Among them a name of which a temporary one cut by characters has more than 31 bytes.
FILES = {"init.lua": b"print(1)", "a/b c": bytes(range(256)) * 9, "empty": b"", ".": b".", "ü" * 15: b"long", "A": b"a"}


def on_board(scenario: Callable[[str, VirtualBoard], Awaitable[None]], options: VirtualOptions = QUICK) -> None:
    async def main() -> None:
        async with VirtualBoard(options) as virtual:
            server = await serve_rfc2217(virtual)
            await scenario(server.url, virtual)
            await server.close()

    asyncio.run(main())


def test_files_there_and_back(tmp_path: Path) -> None:
    kept = Kept("010203", tmp_path)

    async def scenario(url: str, virtual: VirtualBoard) -> None:
        async with open_board(url) as board:
            for name, data in FILES.items():
                await board.file.putcontents(name, data)
            await board.file.putcontents("nodemcu-bridge.00000000.done", b"of no known file")
        here = await look_at_files(url, parts(image()))
        assert here.stays and here.board == "010203" and here.place is not None
        assert not (await look_at_files(url, parts(image(",".join(sorted(MANY)))))).stays
        found = await read_files(url)
        assert found == FILES
        kept.save(found, here.place)
        assert await put_files(url, kept) == [] and kept.folder is None
        async with open_board(url) as board:
            await board.file.remove("a/b c")
            await board.file.putcontents("init.lua", b"print(2)")
        kept.save(found, here.place)
        assert await put_files(url, kept, replace=False) == ["a/b c"]
        kept.save(found, here.place)
        assert await put_files(url, kept) == ["init.lua"]
        assert await read_files(url) == FILES

    on_board(scenario)


def test_what_does_not_fit_stays_kept(tmp_path: Path) -> None:
    kept = Kept("010203", tmp_path)
    kept.save({"a": b"1", "b": bytes(900_000), "c": b"2"}, None)

    async def scenario(url: str, virtual: VirtualBoard) -> None:
        with pytest.raises(FileSystemFull):
            await put_files(url, kept)
        assert await read_files(url) == {"a": b"1"}

    on_board(scenario, replace(QUICK, flash_size=1 << 20))
    assert set(kept.read()) == {"b", "c"}


def test_the_size_of_the_chip_counts_not_that_in_the_header() -> None:
    async def scenario(url: str, virtual: VirtualBoard) -> None:
        virtual.flash.erase(0, virtual.flash.size)
        virtual.flash.program(0, image(size=1 << 20))  # as `esptool -fs 1MB` on a chip of 4 MB
        virtual.reset()
        async with open_board(url) as board:
            assert await board.node.flashsize() == 1 << 20
        assert not (await look_at_files(url, parts(image()))).stays
        assert (await flash_image(url, parts(image()), lose_files=True)).files_lost

    on_board(scenario, replace(QUICK, blank=True))


def test_a_firmware_of_2x_tells_where_its_files_are() -> None:
    async def scenario(url: str, virtual: VirtualBoard) -> None:
        here = await look_at_files(url, parts(image()))
        assert not here.stays and here.place is not None and here.place[0] > 0x10000

    on_board(scenario, replace(QUICK, firmware="2.2.1"))
