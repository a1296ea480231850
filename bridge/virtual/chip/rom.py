"""The serial loader in the ESP8266's boot ROM (download mode), as esptool without a stub knows it."""

from __future__ import annotations

from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory, erase_seconds, program_seconds
from bridge.virtual.chip.image import checksum
from bridge.virtual.chip.loader import Exit, Loader, Op, Refusal, Request, parse_request
from bridge.virtual.chip.registers import BUS_HZ, AddressSpace

#: Error codes of the ROM (esptool/util.py).
INVALID_MESSAGE, FAILED_TO_ACT, INVALID_CRC, FLASH_WRITE_ERROR = 0x05, 0x06, 0x07, 0x08
#: What a SYNC is answered with; esptool takes 0 for a stub that is already running.
SYNC_VALUE = 0x20120707
_SYNC_DATA = b"\x07\x07\x12\x20" + 32 * b"\x55"
_SECTORS_PER_BLOCK = 16
#: The greeting that is part of every flasher stub's code.
_STUB_MARK = b"OHAI"


class RomLoader(Loader):
    """Download mode: measures the host's baud on the first SYNC, then takes requests at that speed.

    Args:
        flash: the board's flash.
        space: the chip's address space.
    """

    FRAME_LIMIT = 0x2000

    def __init__(self, flash: FlashMemory, space: AddressSpace) -> None:
        super().__init__(flash, space, baud=0)
        self._measured = 0
        self._memory_at = 0
        self._flash_at: int | None = None
        self._flash_sequence = 0
        self.entry = 0

    @property
    def measuring(self) -> bool:
        """True until the first SYNC: any baud is taken."""
        return self.baud == 0

    def receive_at(self, data: bytes, now: float, baud: int) -> None:
        """Take bytes sent at `baud`; see `Loader.receive`."""
        if self.measuring:
            self._measured = baud
        self.receive(data, now)

    def handle(self, frame: bytes) -> None:
        request = parse_request(frame)
        if self.measuring:
            if request is None or request.op != Op.SYNC:
                return
            self.baud = self._measured
            self.space.divider = BUS_HZ // self.baud
        if request is None:
            return
        self.spend(50e-6)
        try:
            self._run(request)
        except Refusal as refusal:
            self.answer(request.op, status=refusal.status, error=refusal.error)

    def _run(self, request: Request) -> None:
        op = request.op
        match op:
            case Op.SYNC:
                if request.data != _SYNC_DATA:
                    raise Refusal(1, INVALID_MESSAGE)
                for _ in range(8):
                    self.answer(op, SYNC_VALUE)
                return
            case Op.READ_REG:
                self.answer(op, self.space.read(request.words(1)[0]))
                return
            case Op.WRITE_REG:
                self.write_registers(request)
            case Op.MEM_BEGIN:
                self._memory_at = request.words(4)[3]
            case Op.MEM_DATA:
                data = _payload(request)
                if not self.space.load(self._memory_at, data):
                    raise Refusal(1, FAILED_TO_ACT)
                self._memory_at += len(data)
            case Op.MEM_END:
                self._memory_end(request)
                return
            case Op.FLASH_BEGIN:
                self._flash_begin(request)
            case Op.FLASH_DATA:
                self._flash_data(request)
            case Op.FLASH_END:
                self.answer(op)
                self.exit = Exit.USER_CODE if request.words(1)[0] else Exit.REBOOT
                return
            case _:
                raise Refusal(1, INVALID_MESSAGE)
        self.answer(op)

    def _memory_end(self, request: Request) -> None:
        stay, entry = request.words(2)
        self.answer(request.op)
        if stay:
            return
        self.entry = entry
        self.exit = Exit.STUB if _STUB_MARK in self.space.ram() else Exit.RAM_CODE

    def _flash_begin(self, request: Request) -> None:
        size, _, _, offset = request.words(4)
        # SPIEraseArea of the ROM erases the sectors up to the next 64 KiB border and then, counting from there, as
        # many as were asked for in all. esptool knows (get_erase_size) and asks for less.
        total = -(-size // SECTOR_SIZE)
        start = offset // SECTOR_SIZE
        head = min(_SECTORS_PER_BLOCK - start % _SECTORS_PER_BLOCK, total)
        n = min((head + total) * SECTOR_SIZE, self.flash.size - start * SECTOR_SIZE)
        if offset > self.flash.size:
            raise Refusal(1, FAILED_TO_ACT)
        if total:
            self.flash.erase(start * SECTOR_SIZE, n)
            self.spend(erase_seconds(n) * self.flash.factor)
        self._flash_at = offset
        self._flash_sequence = -1

    def _flash_data(self, request: Request) -> None:
        data = _payload(request)
        if self._flash_at is None:
            raise Refusal(1, FAILED_TO_ACT)
        sequence = request.words(2)[1]
        if sequence == self._flash_sequence:
            return  # the host did not hear the answer and sends the block again
        if self._flash_at + len(data) > self.flash.size:
            raise Refusal(1, FLASH_WRITE_ERROR)
        self.flash.program(self._flash_at, data)
        self.spend(program_seconds(len(data)) * self.flash.factor)
        self._flash_at += len(data)
        self._flash_sequence = sequence


def _payload(request: Request) -> bytes:
    """The data behind the four words of MEM_DATA and FLASH_DATA.

    Raises:
        Refusal: length or checksum do not fit.
    """
    size = request.words(1)[0]
    data = request.data[16:]
    if size != len(data):
        raise Refusal(1, INVALID_MESSAGE)
    if checksum(data) != request.checksum & 0xFF:
        raise Refusal(1, INVALID_CRC)
    return data
