"""What the boot ROM's serial loader and the flasher stub have in common: requests, answers, and time.

A loader is pure: bytes and times go in, timed outputs come out. One request is worked on at a time; those that
arrive meanwhile wait.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from bridge.virtual.chip import slip
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.registers import AddressSpace

_HEADER = struct.Struct("<BBHI")


class Op(IntEnum):
    """Requests (esptool, docs/en/advanced-topics/serial-protocol.rst)."""

    FLASH_BEGIN = 0x02
    FLASH_DATA = 0x03
    FLASH_END = 0x04
    MEM_BEGIN = 0x05
    MEM_END = 0x06
    MEM_DATA = 0x07
    SYNC = 0x08
    WRITE_REG = 0x09
    READ_REG = 0x0A
    SPI_SET_PARAMS = 0x0B
    SPI_ATTACH = 0x0D
    CHANGE_BAUDRATE = 0x0F
    FLASH_DEFL_BEGIN = 0x10
    FLASH_DEFL_DATA = 0x11
    FLASH_DEFL_END = 0x12
    SPI_FLASH_MD5 = 0x13
    GET_SECURITY_INFO = 0x14
    ERASE_FLASH = 0xD0
    ERASE_REGION = 0xD1
    READ_FLASH = 0xD2
    RUN_USER_CODE = 0xD3


class Exit(IntEnum):
    """Why a loader ends."""

    STUB = 1  # code that is a flasher stub was started in RAM
    RAM_CODE = 2  # other code was started in RAM
    USER_CODE = 3  # go on with what is in flash
    REBOOT = 4  # reset the chip


@dataclass(frozen=True)
class Output:
    """Bytes that leave from board time `at` on (seconds), at `baud`."""

    data: bytes
    at: float
    baud: int


@dataclass(frozen=True)
class Request:
    """One request of the host."""

    op: int
    data: bytes
    checksum: int

    def words(self, count: int) -> tuple[int, ...]:
        """The first words of the data; missing ones are 0."""
        whole = self.data[: 4 * count].ljust(4 * count, b"\0")
        return struct.unpack(f"<{count}I", whole)


class Refusal(Exception):
    """A request that is answered with an error.

    Args:
        status: first byte of the answer's status.
        error: second byte.
    """

    def __init__(self, status: int, error: int = 0) -> None:
        super().__init__(f"status {status:02x}{error:02x}")
        self.status = status
        self.error = error


class Loader:
    """Base of `RomLoader` and `StubLoader`.

    Args:
        flash: the board's flash.
        space: the chip's address space, the same for ROM and stub.
        baud: speed of the answers.
    """

    #: Longest frame taken, in bytes.
    FRAME_LIMIT: ClassVar[int] = 0x8000

    def __init__(self, flash: FlashMemory, space: AddressSpace, baud: int) -> None:
        self.flash = flash
        self.space = space
        self.baud = baud
        self.outputs: list[Output] = []
        #: Set when the loader has ended; nothing more is worked on.
        self.exit: Exit | None = None
        #: Board time until which the request in work keeps the CPU.
        self.busy_until = 0.0
        self._decoder = slip.Decoder(self.FRAME_LIMIT)
        self._waiting: deque[bytes] = deque()

    @property
    def deadline(self) -> float | None:
        """When to call `run` again though nothing arrives; None if nothing waits."""
        return self.busy_until if self._waiting and self.exit is None else None

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes that have arrived, and work on what can be worked on now."""
        self._waiting.extend(self._decoder.feed(data))
        self.run(now)

    def run(self, now: float) -> None:
        """Work on requests that wait, as far as time allows."""
        while self._waiting and self.exit is None and self.busy_until <= now:
            self.busy_until = now
            self.handle(self._waiting.popleft())

    def take_outputs(self) -> list[Output]:
        """What has come up to be sent since the last call."""
        taken, self.outputs = self.outputs, []
        return taken

    def handle(self, frame: bytes) -> None:
        """Work on one frame."""
        raise NotImplementedError

    def spend(self, seconds: float) -> None:
        """The request in work takes this long from here."""
        self.busy_until += seconds

    def send_frame(self, data: bytes) -> None:
        """Send a frame as soon as the work so far is done."""
        self.outputs.append(Output(slip.encode(data), self.busy_until, self.baud))

    def answer(self, op: int, value: int = 0, data: bytes = b"", status: int = 0, error: int = 0) -> None:
        """Answer a request: data first, then the two status bytes."""
        body = data + bytes([status, error])
        self.send_frame(_HEADER.pack(1, op, len(body), value) + body)

    def write_registers(self, request: Request) -> None:
        """WRITE_REG: one or more quadruples of address, value, mask and a wait in microseconds."""
        for at in range(0, len(request.data) - 15, 16):
            address, value, mask, wait = struct.unpack_from("<IIII", request.data, at)
            self.spend(wait / 1e6)
            self.space.write(address, value, mask)


def parse_request(frame: bytes) -> Request | None:
    """The request in a frame; None if it is none, or cut short."""
    if len(frame) < _HEADER.size:
        return None
    direction, op, size, checksum = _HEADER.unpack_from(frame)
    data = frame[_HEADER.size :]
    if direction != 0 or len(data) != size:
        return None
    return Request(op, data, checksum)
