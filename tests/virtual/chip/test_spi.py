from __future__ import annotations

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.spi import BASE, FlashChip, SpiController


def esptool_command(spi: SpiController, opcode: int, data: bytes = b"", read_bits: int = 0, address: int = -1) -> int:
    """`run_spiflash_command` of esptool/loader.py, register by register."""
    user = 1 << 31 | (read_bits > 0) << 28 | bool(data) << 27 | (address >= 0) << 30
    lengths = max(read_bits - 1, 0) << 8 | max(len(data) * 8 - 1, 0) << 17
    spi.write(BASE + 0x20, lengths | (23 << 26 if address >= 0 else 0))
    spi.write(BASE + 0x1C, user)
    spi.write(BASE + 0x24, 7 << 28 | opcode)
    if address >= 0:
        spi.write(BASE + 0x04, address << 8)
    padded = data + bytes(-len(data) % 4) if data else bytes(4)
    for at in range(0, len(padded), 4):
        spi.write(BASE + 0x40 + at, int.from_bytes(padded[at : at + 4], "little"))
    spi.write(BASE, 1 << 18)
    assert not spi.read(BASE) & 1 << 18
    return spi.read(BASE + 0x40)


def controller(flash: FlashMemory | None = None) -> SpiController:
    return SpiController(FlashChip(flash or FlashMemory(4 << 20)))


def test_identification() -> None:
    assert esptool_command(controller(), 0x9F, read_bits=24) == 0x1640EF


def test_sfdp_signature_and_vendor_byte() -> None:
    spi = controller()
    assert esptool_command(spi, 0x5A, read_bits=32, address=0) == 0x50444653
    assert esptool_command(spi, 0x5A, read_bits=8, address=0x10) & 0xFF == 0xFF


def test_status_is_written_only_after_write_enable() -> None:
    spi = controller()
    esptool_command(spi, 0x01, b"\x1c\x02")
    assert esptool_command(spi, 0x05, read_bits=8) & 0xFF == 0
    esptool_command(spi, 0x06)
    assert esptool_command(spi, 0x05, read_bits=8) & 0xFF == 2
    esptool_command(spi, 0x01, b"\x1c\x02")
    assert esptool_command(spi, 0x05, read_bits=8) & 0xFF == 0x1C
    assert esptool_command(spi, 0x35, read_bits=8) & 0xFF == 0x02


def test_only_what_is_written_for_good_survives_a_reset_of_the_flash() -> None:
    spi = controller()
    for enable, status, kept in [(0x50, b"\x1c", 0), (0x06, b"\x04", 4)]:
        esptool_command(spi, enable)
        esptool_command(spi, 0x01, status)
        assert esptool_command(spi, 0x05, read_bits=8) & 0xFF == status[0]
        esptool_command(spi, 0x66)
        esptool_command(spi, 0x99)
        assert esptool_command(spi, 0x05, read_bits=8) & 0xFF == kept


def test_cells_are_reached_by_single_commands() -> None:
    flash = FlashMemory(1 << 20)
    spi = controller(flash)
    esptool_command(spi, 0x02, b"abcd", address=0x1FE)
    assert flash.read(0x1FE, 4) == b"\xff" * 4
    esptool_command(spi, 0x06)
    esptool_command(spi, 0x02, b"abcd", address=0x1FE)
    # A page program wraps inside its page of 256 bytes.
    assert flash.read(0x1FE, 2) == b"ab" and flash.read(0x100, 2) == b"cd"
    assert esptool_command(spi, 0x03, read_bits=16, address=0x1FE) & 0xFFFF == int.from_bytes(b"ab", "little")
    esptool_command(spi, 0x06)
    esptool_command(spi, 0x20, address=0x1FE)
    assert flash.read(0, 0x1000) == b"\xff" * 0x1000
