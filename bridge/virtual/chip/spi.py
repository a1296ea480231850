"""The flash chip on its SPI bus, and the controller's registers through which esptool sends it single commands."""

from __future__ import annotations

from bridge.virtual.chip.flash import PAGE_SIZE, SECTOR_SIZE, FlashMemory

#: SPI0 of the ESP8266, the flash's controller.
BASE = 0x60000200
_CMD, _ADDR, _USER, _USER1, _USER2, _W0 = 0x00, 0x04, 0x1C, 0x20, 0x24, 0x40
_CMD_USER = 1 << 18
_USER_COMMAND, _USER_ADDR, _USER_MISO, _USER_MOSI = 1 << 31, 1 << 30, 1 << 28, 1 << 27


class FlashChip:
    """A 25-series chip: commands in, data out."""

    def __init__(self, flash: FlashMemory) -> None:
        self.flash = flash
        self._status = bytearray(flash.status)
        self._writable = False
        self._volatile = False
        self._reset_enabled = False

    def command(self, opcode: int, address: int, sent: bytes, n: int) -> bytes:
        """Run one command; returns `n` bytes as they come out (0xFF where nothing drives the line)."""
        reset_enabled, self._reset_enabled = self._reset_enabled, False
        out = b""
        match opcode:
            case 0x9F:
                out = self.flash.jedec_id.to_bytes(3, "little")
            case 0x5A:
                out = _SFDP[address : address + n]
            case 0x05 | 0x35 | 0x15:
                busy_and_latch = 2 * self._writable if opcode == 0x05 else 0
                out = bytes([self._status[(0x05, 0x35, 0x15).index(opcode)] | busy_and_latch])
            case 0x06 | 0x50:
                self._writable = True
                self._volatile = opcode == 0x50
            case 0x04:
                self._writable = False
            case 0x01 | 0x31 | 0x11 if self._writable:
                first = (0x01, 0x31, 0x11).index(opcode)
                self._status[first : first + len(sent)] = sent[: 3 - first]
                self._status[0] &= 0xFC
                if not self._volatile:
                    self.flash.status = bytes(self._status)
                self._writable = False
            case 0x03:
                address %= self.flash.size
                out = self.flash.read(address, min(n, self.flash.size - address))
            case 0x02 if self._writable:
                # A page program wraps inside its page.
                page, at = divmod(address % self.flash.size, PAGE_SIZE)
                for byte in sent:
                    self.flash.program(page * PAGE_SIZE + at % PAGE_SIZE, bytes([byte]))
                    at += 1
                self._writable = False
            case 0x20 | 0xD8 if self._writable:
                size = SECTOR_SIZE if opcode == 0x20 else 0x10000
                self.flash.erase(address % self.flash.size // size * size, size)
                self._writable = False
            case 0x60 | 0xC7 if self._writable:
                self.flash.erase(0, self.flash.size)
                self._writable = False
            case 0x66:
                self._reset_enabled = True
            case 0x99 if reset_enabled:
                self._writable = False
                self._status = bytearray(self.flash.status)
        return out.ljust(n, b"\xff")[:n]


class SpiController:
    """Registers of the controller; a "user command" runs as soon as it is written."""

    def __init__(self, chip: FlashChip) -> None:
        self._chip = chip
        self._words = dict.fromkeys(range(0, 0x100, 4), 0)

    def holds(self, address: int) -> bool:
        return BASE <= address < BASE + 0x100

    def read(self, address: int) -> int:
        return self._words[(address - BASE) & 0xFC]

    def write(self, address: int, value: int) -> None:
        offset = (address - BASE) & 0xFC
        self._words[offset] = value
        if offset == _CMD and value & _CMD_USER:
            self._run()
            self._words[_CMD] &= ~_CMD_USER

    def _run(self) -> None:
        user, user1 = self._words[_USER], self._words[_USER1]
        if not user & _USER_COMMAND:
            return
        address_bits = (user1 >> 26 & 0x3F) + 1 if user & _USER_ADDR else 0
        address = self._words[_ADDR] >> (32 - address_bits) if address_bits else 0
        sent = b""
        buffer = b"".join(self._words[_W0 + 4 * n].to_bytes(4, "little") for n in range(16))
        if user & _USER_MOSI:
            sent = buffer[: ((user1 >> 17 & 0x1FF) + 8) // 8]
        n = ((user1 >> 8 & 0x1FF) + 8) // 8 if user & _USER_MISO else 0
        answer = self._chip.command(self._words[_USER2] & 0xFF, address, sent, n)
        answer += bytes(-len(answer) % 4)
        for at in range(0, min(len(answer), 64), 4):
            self._words[_W0 + at] = int.from_bytes(answer[at : at + 4], "little")


def _sfdp() -> bytes:
    """A minimal parameter table: the JEDEC header and one parameter header."""
    header = b"SFDP" + bytes([6, 1, 0, 0xFF]) + bytes([0x00, 6, 1, 16, 0x80, 0, 0, 0xFF])
    return header.ljust(256, b"\xff")


_SFDP = _sfdp()
