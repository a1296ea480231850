from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import pytest

from bridge.errors import FilesWouldBeLost
from bridge.flash import flash_image
from bridge.flashing.chip_files import Found, files_on_chip, files_stay
from bridge.flashing.table import after_first_boot, file_system, read_table, records_of
from bridge.image import ImagePart
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image, parts

SIZE = 4 << 20
#: What a firmware before 3.x looks like to the loader: code at 0x10000, and no table.
OLD = ImagePart(0, b"\xe9\x01\x02\x40" + bytes(0x10000 - 4) + b"\x12" * 0x6F000, "old.bin")


class Chip:
    """A flash, as a session gives it."""

    def __init__(self, size: int = SIZE) -> None:
        self.flash = FlashMemory(size)
        self.flash_size = size

    async def peek(self, at: int, size: int) -> bytes:
        return self.flash.read(at, size)


def make_2x(flash: FlashMemory, at: int, size: int, block: int = 8192) -> None:
    """The marks that `SPIFFS_format` leaves in each block (app/spiffs/spiffs_nucleus.h, 2.2.1), behind a firmware."""
    flash.program(0, OLD.data[: min(at, len(OLD.data))])
    count = size // block
    for each in range(count):
        magic = (0x20140529 ^ 256 ^ (count - each)) & 0xFFFF
        flash.program(at + each * block + 252, struct.pack("<HH", magic, 0))


@pytest.mark.parametrize(
    ("chip", "at", "size", "block"),
    [(SIZE, 0x90000, 0x36C000, 8192), (1 << 20, 0x8A000, 0x70000, 8192), (512 << 10, 0x72000, 0x6000, 4096)],
)
def test_the_files_of_a_2x_are_found_where_it_looks_for_them(chip: int, at: int, size: int, block: int) -> None:
    there = Chip(chip)
    there.flash.program(0, OLD.data[:0x70000])
    assert asyncio.run(files_on_chip(there)) is None
    make_2x(there.flash, at, size, block)
    assert asyncio.run(files_on_chip(there)) == Found(at, size, older=True)


def test_a_blank_chip_and_one_with_an_unused_partition_have_none() -> None:
    chip = Chip()
    assert asyncio.run(files_on_chip(chip)) is None
    chip.flash.program(0, image())
    assert asyncio.run(files_on_chip(chip)) is None


def test_3x_takes_over_the_files_of_2x_only_at_the_beginning_of_its_partition() -> None:
    row = file_system(after_first_boot(read_table(records_of(parts(image()))), SIZE))
    assert row is not None
    start = -(-row.at // 0x2000) * 0x2000
    assert files_stay(Found(start, 0x80000, older=True), parts(image()), SIZE)
    assert not files_stay(Found(start + 0x10000, 0x80000, older=True), parts(image()), SIZE)
    assert not files_stay(Found(start, SIZE, older=True), parts(image()), SIZE)
    assert files_stay(Found(row.at, row.size, older=False), parts(image()), SIZE)
    assert not files_stay(Found(row.at, row.size - 0x1000, older=False), parts(image()), SIZE)


def test_2x_finds_its_files_behind_a_firmware_of_its_kind_and_a_longer_one_writes_over_them() -> None:
    assert files_stay(Found(0x90000, 0x80000, older=True), [OLD], SIZE)
    assert files_stay(Found(0x82000, 0x80000, older=True), [OLD], SIZE)
    assert not files_stay(Found(0x7E000, 0x80000, older=True), [OLD], SIZE)
    assert not files_stay(Found(0x200000, 0x80000, older=True), [OLD], SIZE)
    assert not files_stay(Found(0x90000, 0x80000, older=False), [OLD], SIZE)


def test_going_from_2x_to_3x_says_before_that_files_are_lost() -> None:
    async def scenario() -> None:
        options = VirtualOptions(baud_pacing=False, flash=0, cpu=0)
        async with VirtualBoard(replace(options, blank=True)) as board:
            server = await serve_rfc2217(board)
            make_2x(board.flash, 0x90000, 0x36C000)
            before = board.flash.read(0, board.flash.size)
            with pytest.raises(FilesWouldBeLost, match="--keep-files"):
                await flash_image(server.url, parts(image()))
            assert board.flash.read(0, board.flash.size) == before
            assert (await flash_image(server.url, parts(image()), lose_files=True)).files_lost
            await server.close()

    asyncio.run(scenario())
