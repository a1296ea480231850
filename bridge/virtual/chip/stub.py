"""The flasher stub that esptool loads into RAM (espressif/esp-flasher-stub, src/command_handler.c)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory, erase_seconds, program_seconds
from bridge.virtual.chip.image import checksum
from bridge.virtual.chip.loader import Exit, Loader, Op, Refusal, Request, parse_request
from bridge.virtual.chip.registers import AddressSpace

#: Status bytes of the stub; the second byte of a status is always 0.
BAD_LENGTH, BAD_CHECKSUM, INVALID_COMMAND, FAILED_SPI = 0xC0, 0xC1, 0xC3, 0xC4
NOT_IN_FLASH_MODE, INFLATE_ERROR, NOT_ENOUGH_DATA, TOO_MUCH_DATA, NOT_IMPLEMENTED = 0xC6, 0xC7, 0xC8, 0xC9, 0xFF

_FIXED_SIZES = {
    Op.SYNC: (36,),
    Op.FLASH_BEGIN: (16, 20),
    Op.FLASH_DEFL_BEGIN: (16, 20),
    Op.FLASH_END: (4,),
    Op.FLASH_DEFL_END: (4,),
    Op.MEM_BEGIN: (16,),
    Op.MEM_END: (8,),
    Op.READ_REG: (4,),
    Op.SPI_ATTACH: (4,),
    Op.SPI_SET_PARAMS: (24,),
    Op.CHANGE_BAUDRATE: (8,),
    Op.SPI_FLASH_MD5: (16,),
    Op.GET_SECURITY_INFO: (0,),
    Op.READ_FLASH: (16,),
    Op.ERASE_REGION: (8,),
}
#: The stub inflates into a window of this size and writes it when it is full.
_WINDOW = 0x8000
#: Bytes per second: hashing (80 MHz, MD5 in C) and reading the flash at 40 MHz DIO, roughly.
_MD5_RATE, _READ_RATE, _INFLATE_RATE = 1.5e6, 6e6, 1e6
#: Time of the stub's start until it greets.
START_S = 2e-3


@dataclass
class _FlashJob:
    """A FLASH_BEGIN … FLASH_END in progress; offsets and sizes in bytes."""

    remaining: int
    offset: int
    erased_to: int
    end: int
    inflater: Any = field(default_factory=zlib.decompressobj)
    window: bytearray = field(default_factory=bytearray)


@dataclass
class _Reading:
    """A READ_FLASH in progress: one packet at a time, the next when the host has acknowledged it."""

    offset: int
    remaining: int
    total: int
    packet: int
    md5: Any = field(default_factory=hashlib.md5)


class StubLoader(Loader):
    """A running stub. Greets when it is made.

    Args:
        flash: the board's flash.
        space: the chip's address space.
        baud: the speed the ROM worked at.
        now: board time at which the ROM jumped to it.
    """

    def __init__(self, flash: FlashMemory, space: AddressSpace, baud: int, now: float) -> None:
        super().__init__(flash, space, baud)
        self._flash_size = flash.size
        self._job: _FlashJob | None = None
        self._memory: tuple[int, int] | None = None
        self._reading: _Reading | None = None
        #: A write that fails is told on the request after it: the stub answers before it writes.
        self._late_error = 0
        self.busy_until = now + START_S
        self.send_frame(b"OHAI")

    def handle(self, frame: bytes) -> None:
        if self._reading is not None:
            self._acknowledged(frame)
            return
        if len(frame) < 8:
            return
        request = parse_request(frame)
        op = frame[1]
        self.spend(30e-6)
        if frame[0] != 0:
            self.answer(op, status=INVALID_COMMAND)
        elif request is None:
            self.answer(op, status=BAD_LENGTH)
        elif self._late_error:
            self.answer(op, status=self._late_error)
            self._late_error = 0
        else:
            try:
                self._run(request)
            except Refusal as refusal:
                self.answer(op, status=refusal.status)

    def _run(self, request: Request) -> None:
        op, size = request.op, len(request.data)
        allowed = _FIXED_SIZES.get(op)  # type: ignore[call-overload]
        if allowed is not None and size not in allowed:
            raise Refusal(BAD_LENGTH)
        value, data = 0, b""
        match op:
            case Op.SYNC:
                for _ in range(7):
                    self.answer(op)
            case Op.READ_REG:
                value = self.space.read(request.words(1)[0])
            case Op.WRITE_REG:
                if not size or size % 16:
                    raise Refusal(NOT_ENOUGH_DATA)
                self.write_registers(request)
            case Op.SPI_ATTACH:
                pass
            case Op.SPI_SET_PARAMS:
                self._flash_size = min(request.words(2)[1], self.flash.size)
            case Op.MEM_BEGIN:
                total, _, _, address = request.words(4)
                self._memory = (total, address)
            case Op.MEM_DATA:
                self._memory_data(request)
            case Op.MEM_END:
                if self._memory is None:
                    raise Refusal(NOT_IN_FLASH_MODE)
                self._memory = None
                if request.words(1)[0] == 0:
                    self.exit = Exit.RAM_CODE
            case Op.FLASH_BEGIN | Op.FLASH_DEFL_BEGIN:
                self._begin(request)
            case Op.FLASH_DATA | Op.FLASH_DEFL_DATA:
                self._block(request)
                return
            case Op.FLASH_END | Op.FLASH_DEFL_END:
                # The word says whether to reboot; the stub does not (esp-flasher-stub has it as a thing to do).
                if self._job is None:
                    raise Refusal(NOT_IN_FLASH_MODE)
                if self._job.remaining:
                    raise Refusal(BAD_LENGTH)
                self._job = None
            case Op.SPI_FLASH_MD5:
                offset, n, _, _ = request.words(4)
                self._check(offset, n)
                data = hashlib.md5(self.flash.read(offset, n)).digest()
                self.spend(n / _MD5_RATE)
            case Op.ERASE_FLASH:
                self.flash.erase(0, self.flash.size)
                self.spend(erase_seconds(self.flash.size) * self.flash.factor)
            case Op.ERASE_REGION:
                offset, n = request.words(2)
                if offset % SECTOR_SIZE or n % SECTOR_SIZE:
                    raise Refusal(BAD_LENGTH)
                self._check(offset, n)
                self.flash.erase(offset, n)
                self.spend(erase_seconds(n) * self.flash.factor)
            case Op.READ_FLASH:
                self._begin_reading(request)
                return
            case Op.CHANGE_BAUDRATE:
                self.answer(op)
                self.baud = request.words(1)[0] or self.baud
                return
            case Op.RUN_USER_CODE:
                self.exit = Exit.USER_CODE
                return
            case Op.GET_SECURITY_INFO:
                raise Refusal(NOT_IMPLEMENTED)
            case _:
                raise Refusal(NOT_IMPLEMENTED if 0xD5 <= op <= 0xEF else INVALID_COMMAND)
        self.answer(op, value, data)

    def _check(self, offset: int, n: int) -> None:
        if offset + n > self.flash.size:
            raise Refusal(FAILED_SPI)

    def _memory_data(self, request: Request) -> None:
        if self._memory is None:
            raise Refusal(NOT_IN_FLASH_MODE)
        remaining, address = self._memory
        data = request.data[16:]
        if request.words(1)[0] != len(data) or len(data) > remaining:
            raise Refusal(TOO_MUCH_DATA)
        self.space.load(address, data)
        self._memory = (remaining - len(data), address + len(data))

    def _begin(self, request: Request) -> None:
        size, _, _, offset = request.words(4)
        start = offset // SECTOR_SIZE * SECTOR_SIZE
        end = -(-(offset + size) // SECTOR_SIZE) * SECTOR_SIZE
        self._job = _FlashJob(size, offset, start, end)

    def _block(self, request: Request) -> None:
        """Answer a block when it is understood, then write it: the host sends the next one meanwhile."""
        job = self._job
        if len(request.data) < 16:
            raise Refusal(NOT_ENOUGH_DATA)
        if job is None:
            raise Refusal(NOT_IN_FLASH_MODE)
        data = request.data[16:]
        if request.words(1)[0] != len(data):
            raise Refusal(TOO_MUCH_DATA)
        if checksum(data) != request.checksum & 0xFF:
            raise Refusal(BAD_CHECKSUM)
        self.answer(request.op)
        try:
            if request.op == Op.FLASH_DATA:
                self._write(job, data[: job.remaining])
            else:
                self._inflate(job, data)
        except Refusal as refusal:
            self._late_error = refusal.status

    def _inflate(self, job: _FlashJob, data: bytes) -> None:
        try:
            job.window += job.inflater.decompress(data)
        except zlib.error:
            raise Refusal(INFLATE_ERROR) from None
        self.spend(len(data) / _INFLATE_RATE)
        while len(job.window) >= _WINDOW or (job.inflater.eof and job.window):
            piece = bytes(job.window[:_WINDOW])
            del job.window[:_WINDOW]
            self._write(job, piece)

    def _write(self, job: _FlashJob, data: bytes) -> None:
        end = job.offset + len(data)
        if len(data) > job.remaining or end > min(self.flash.size, self._flash_size):
            raise Refusal(FAILED_SPI)
        while job.erased_to < end:
            n = min(job.end - job.erased_to, 0x10000 if job.erased_to % 0x10000 == 0 else SECTOR_SIZE)
            n = min(n, self.flash.size - job.erased_to)
            # Sectors that are blank already are read instead of erased.
            if self.flash.read(job.erased_to, n).strip(b"\xff"):
                self.flash.erase(job.erased_to, n)
                self.spend(erase_seconds(n) * self.flash.factor)
            else:
                self.spend(n / _READ_RATE)
            job.erased_to += n
        self.flash.program(job.offset, data)
        self.spend(program_seconds(len(data)) * self.flash.factor)
        job.offset = end
        job.remaining -= len(data)

    def _begin_reading(self, request: Request) -> None:
        offset, n, packet, _ = request.words(4)
        self.answer(request.op)
        if offset + n > self.flash.size:
            self._late_error = FAILED_SPI
        elif not 0 < packet <= SECTOR_SIZE:
            self._late_error = BAD_LENGTH
        else:
            self._reading = _Reading(offset, n, n, packet)
            if n:
                self._send_packet(self._reading)
            else:
                self._finish_reading(self._reading)

    def _acknowledged(self, frame: bytes) -> None:
        """An acknowledgement: how many bytes the host has. Anything else ends the reading."""
        reading = self._reading
        assert reading is not None
        if len(frame) != 4:
            self._finish_reading(reading)
        elif reading.remaining:
            self._send_packet(reading)
        elif struct.unpack("<I", frame)[0] >= reading.total:
            self._finish_reading(reading)

    def _send_packet(self, reading: _Reading) -> None:
        data = self.flash.read(reading.offset, min(reading.packet, reading.remaining))
        self.spend(len(data) / _READ_RATE)
        reading.md5.update(data)
        reading.offset += len(data)
        reading.remaining -= len(data)
        self.send_frame(data)

    def _finish_reading(self, reading: _Reading) -> None:
        self.send_frame(reading.md5.digest())
        self._reading = None
