from __future__ import annotations

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.registers import AddressSpace

MAC = bytes.fromhex("5ccf7f010203")


def space(flash: FlashMemory | None = None) -> AddressSpace:
    return AddressSpace(flash or FlashMemory(1 << 20), MAC)


def test_what_esptool_identifies_the_chip_by() -> None:
    chip = space()
    assert chip.read(0x40001000) == 0xFFF0C101
    assert chip.read(0x3FF0005C) == 0x5CCF7F
    # 52 MHz through the divider for 115200 baud is a 26 MHz crystal.
    assert round(115_200 * chip.read(0x60000014) / 2e6) == 26


def test_ram_holds_what_is_written() -> None:
    chip = space()
    assert chip.load(0x40100010, b"\x01\x02\x03\x04")
    assert chip.read(0x40100010) == 0x04030201
    chip.write(0x3FFE8000, 0xAABBCCDD)
    chip.write(0x3FFE8000, 0x000000FF, mask=0x0000FFFF)
    assert chip.read(0x3FFE8000) == 0xAABB00FF
    assert b"\x01\x02\x03\x04" in chip.ram()


def test_there_is_no_ram_beyond_its_end() -> None:
    assert not space().load(0x4010FFFE, b"\x01\x02\x03\x04")
    assert not space().load(0x40000000, b"x")


def test_rom_and_fuses_cannot_be_written() -> None:
    chip = space()
    chip.write(0x40001000, 0)
    chip.write(0x3FF00050, 0)
    assert chip.read(0x40001000) == 0xFFF0C101
    assert chip.read(0x3FF00050) == 0x03000000


def test_flash_is_mapped() -> None:
    flash = FlashMemory(1 << 20)
    flash.program(0x100, b"\x78\x56\x34\x12")
    assert space(flash).read(0x40200100) == 0x12345678
