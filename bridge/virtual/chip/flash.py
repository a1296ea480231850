"""The SPI flash of a board: NOR cells behind a size, in memory or in a file that outlives the process."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from bridge.errors import UsageError
from bridge.virtual.statistics import Statistics

#: Smallest erasable unit, and the largest unit one program command writes (every data sheet of the 25-series).
SECTOR_SIZE = 4096
BLOCK_SIZE = 65536
PAGE_SIZE = 256

#: Seconds. Typical data sheet figures of a W25Q32: page program 0.7 ms, sector erase 45 ms, 64 KiB block erase 150 ms.
PAGE_PROGRAM_S = 0.7e-3
SECTOR_ERASE_S = 45e-3
BLOCK_ERASE_S = 150e-3

#: Flash chips on ESP8266 modules, in bytes. NodeMCU 3.x refuses less than 1 MiB (app/user/user_main.c).
SIZES = tuple(256 * 1024 << n for n in range(7))

#: Winbond, as on most modules; the third byte of the JEDEC id is the log2 of the size.
_MANUFACTURER = 0xEF
_DEVICE = 0x40


class PowerCut(Exception):
    """The power went away inside a flash operation, or has been away since (`FlashMemory.cut_power_after`)."""


class FlashMemory:
    """NOR flash: an erase sets every bit of a sector, programming only clears bits.

    Operations take no time here: whoever runs them on the chip waits `program_seconds` or `erase_seconds`.

    Args:
        size: bytes, one of `SIZES`.
        file: where the contents live; made (erased) if it does not exist. None keeps them in memory. Each operation
            reaches the file before it returns, so that a killed process leaves what the chip had.

    Raises:
        UsageError: the size does not exist, or the file has another size or is in use by another board.
    """

    def __init__(self, size: int = 4 * 1024 * 1024, file: str | os.PathLike[str] | None = None) -> None:
        if size not in SIZES:
            known = ", ".join(f"{s // 1024}K" for s in SIZES)
            raise UsageError(f"A flash of {size} bytes does not exist", remedy=f"Known sizes: {known}.")
        self.size = size
        self.file = None if file is None else Path(file)
        #: The chip's status registers that survive a reset (write protection); nothing here heeds them.
        self.status = bytes(3)
        #: Factor on the time that operations take.
        self.factor = 1.0
        #: What counts operations; None outside of a board.
        self.statistics: Statistics | None = None
        self._budget: int | None = None
        self._fd: int | None = None
        if self.file is None:
            self._cells = bytearray(b"\xff") * size
        else:
            self._fd = _open_locked(self.file, size)
            self._cells = bytearray(os.pread(self._fd, size, 0))

    @property
    def jedec_id(self) -> int:
        """What RDID (0x9F) answers, first byte lowest: manufacturer, device type, log2 of the size."""
        return _MANUFACTURER | _DEVICE << 8 | (self.size.bit_length() - 1) << 16

    def read(self, offset: int, n: int) -> bytes:
        """`n` bytes from `offset`.

        Raises:
            ValueError: they are not all inside the flash.
        """
        self._check(offset, n)
        return bytes(self._cells[offset : offset + n])

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are clear in `data`; bits already clear stay so.

        Raises:
            ValueError: the range is not all inside the flash.
            PowerCut: the power went away; the bytes before that moment are programmed.
        """
        self._check(offset, len(data))
        if self.statistics is not None and data:
            self.statistics.pages_programmed += (offset + len(data) - 1) // PAGE_SIZE - offset // PAGE_SIZE + 1
        for start in range(offset, offset + len(data), BLOCK_SIZE):
            piece = data[start - offset : start - offset + BLOCK_SIZE]
            kept = self._spend(len(piece))
            old = self._cells[start : start + kept]
            merged = int.from_bytes(old, "little") & int.from_bytes(piece[:kept], "little")
            self._store(start, merged.to_bytes(kept, "little"))
            self._still_powered(kept == len(piece))

    def erase(self, offset: int, n: int) -> None:
        """Erase every sector that the range touches.

        Raises:
            ValueError: the range is not all inside the flash.
            PowerCut: the power went away; sectors before that moment are erased, the one in work is half so.
        """
        self._check(offset, n)
        first = offset // SECTOR_SIZE * SECTOR_SIZE
        last = -(-(offset + n) // SECTOR_SIZE) * SECTOR_SIZE
        if self.statistics is not None:
            self.statistics.sectors_erased += (last - first) // SECTOR_SIZE
        kept = self._spend(last - first)
        self._store(first, b"\xff" * kept)
        self._still_powered(kept == last - first)

    def cut_power_after(self, n: int | None) -> None:
        """Take the power away after `n` more bytes are programmed or erased; None gives it back.

        Every operation after the cut raises `PowerCut` until then. For tests of what a file system survives.
        """
        self._budget = n

    def close(self) -> None:
        """Give the file back. Calling it again does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _check(self, offset: int, n: int) -> None:
        if n < 0 or offset < 0 or offset + n > self.size:
            raise ValueError(f"{n} bytes at 0x{offset:x} are not inside a flash of 0x{self.size:x} bytes")

    def _spend(self, n: int) -> int:
        if self._budget is None:
            return n
        kept = min(n, self._budget)
        self._budget -= kept
        return kept

    def _still_powered(self, whole: bool) -> None:
        if not whole:
            raise PowerCut("the power went away inside a flash operation")

    def _store(self, offset: int, data: bytes) -> None:
        self._cells[offset : offset + len(data)] = data
        if self._fd is not None:
            os.pwrite(self._fd, data, offset)


def program_seconds(n: int) -> float:
    """How long the chip takes to program `n` bytes."""
    return -(-n // PAGE_SIZE) * PAGE_PROGRAM_S


def erase_seconds(n: int) -> float:
    """How long the chip takes to erase `n` bytes, in 64 KiB blocks where it can."""
    blocks, rest = divmod(n, BLOCK_SIZE)
    return blocks * BLOCK_ERASE_S + -(-rest // SECTOR_SIZE) * SECTOR_ERASE_S


def _open_locked(file: Path, size: int) -> int:
    """The file's descriptor, locked against other boards.

    Raises:
        UsageError: it cannot be used.
    """
    try:
        if not file.exists():
            # Made whole under another name first: an interrupted start must not leave half a flash behind.
            with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as fresh:
                fresh.write(b"\xff" * size)
            try:
                os.link(fresh.name, file)
            except FileExistsError:
                pass  # another board made it in the meantime: the lock decides who has it
            finally:
                os.unlink(fresh.name)
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"The flash file {file} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(fd).st_size
        if found != size:
            raise UsageError(
                f"The flash file {file} has {found} bytes, the board's flash {size}",
                remedy="Give the matching flash_size, or another file.",
            )
    except OSError as error:
        os.close(fd)
        raise UsageError(
            f"The flash file {file} is in use by another board", remedy="Close that board, or give another file."
        ) from error
    except UsageError:
        os.close(fd)
        raise
    return fd
