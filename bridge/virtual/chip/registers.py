"""The chip's address space as a serial loader sees it: RAM, fuses, the flash's controller, a few peripherals."""

from __future__ import annotations

from bridge.virtual.chip.efuse import fuse_words
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.layout import FLASH_ADDRESS
from bridge.virtual.chip.spi import FlashChip, SpiController

#: Word in the mask ROM by which esptool knows an ESP8266.
_CHIP_MAGIC = {0x40001000: 0xFFF0C101}
_FUSES = 0x3FF00050
_UART_CLOCK_DIVIDER = 0x60000014
_UART_DATE = 0x60000078
_GPIO_IN = 0x60000318
_RAM = ((0x3FFE8000, 0x40000000), (0x40100000, 0x40110000))
#: The bus runs at twice the 26 MHz crystal until the firmware starts the PLL.
BUS_HZ = 52_000_000


class AddressSpace:
    """Words at addresses; what is not there reads as 0 and takes writes without effect.

    Args:
        flash: the flash, mapped at 0x40200000 and behind the SPI controller.
        mac: six bytes, in the fuses.
    """

    def __init__(self, flash: FlashMemory, mac: bytes) -> None:
        self._flash = flash
        self._spi = SpiController(FlashChip(flash))
        self._words = {_FUSES + 4 * n: word for n, word in enumerate(fuse_words(mac))} | _CHIP_MAGIC
        self._words[_UART_DATE] = 0x00062000
        self._ram: dict[int, bytearray] = {low: bytearray(high - low) for low, high in _RAM}
        self.divider = BUS_HZ // 115_200
        #: Levels of GPIO0 and GPIO2 (high) and GPIO15 (low) as the boot ROM read them.
        self.gpio0 = True

    def load(self, address: int, data: bytes) -> bool:
        """Copy to RAM; False if there is no RAM for all of it."""
        for low, cells in self._ram.items():
            if low <= address and address + len(data) <= low + len(cells):
                cells[address - low : address - low + len(data)] = data
                return True
        return False

    def ram(self) -> bytes:
        """All of the RAM."""
        return b"".join(self._ram.values())

    def read(self, address: int) -> int:
        """The word at an address."""
        address &= ~3
        if self._spi.holds(address):
            return self._spi.read(address)
        if address == _UART_CLOCK_DIVIDER:
            return self.divider
        if address == _GPIO_IN:
            return self.gpio0 | 1 << 2
        for low, cells in self._ram.items():
            if low <= address < low + len(cells):
                return int.from_bytes(cells[address - low : address - low + 4], "little")
        offset = address - FLASH_ADDRESS
        if 0 <= offset < min(self._flash.size, 0x100000):
            return int.from_bytes(self._flash.read(offset, 4), "little")
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int = 0xFFFFFFFF) -> None:
        """Set the bits of `mask` in the word at an address."""
        address &= ~3
        if mask != 0xFFFFFFFF:
            value = (value & mask) | (self.read(address) & ~mask)
        if self._spi.holds(address):
            self._spi.write(address, value)
        elif address == _UART_CLOCK_DIVIDER:
            self.divider = value & 0xFFFFF
        elif not self.load(address, value.to_bytes(4, "little")) and address >= 0x60000000:
            self._words[address] = value
