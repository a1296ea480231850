"""The boot part of an image, read as the boot ROM reads it: header, segments, checksum.

Whatever keeps the ROM from starting it is told with its place in the file. The format is that of esptool's
bin_image.py (ESP8266ROMFirmwareImage); the meaning of the flash bytes that of its targets/esp8266.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import reduce
from operator import xor

from bridge.errors import ImageError
from bridge.image.mistakes import mistaken_for, other_chip
from bridge.image.parts import IROM_OFFSET, ImagePart

_MAGIC, _SEED = 0xE9, 0xEF
_HEADER, _SEGMENT = struct.Struct("<BBBBI"), struct.Struct("<II")
#: Segments that an image of any build has at most (esptool warns beyond).
_MOST_SEGMENTS = 16
#: Where the boot ROM can put a segment: data RAM and instruction RAM.
_RAM = ((0x3FFE8000, 0x40000000, "data RAM"), (0x40100000, 0x40110000, "instruction RAM"))
_MODES = ("qio", "qout", "dio", "dout")
#: Nibble → bytes. 5 and 6 are other memory maps for 2 MB and 4 MB.
_SIZES = {0: 512, 1: 256, 2: 1024, 3: 2048, 4: 4096, 5: 2048, 6: 4096, 8: 8192, 9: 16384}
_FREQUENCIES = {0: "40m", 1: "26m", 2: "20m", 15: "80m"}
_AGAIN = "Download or build it again."
_RIGHT = "Use a NodeMCU build for ESP8266."


@dataclass(frozen=True)
class Segment:
    """A piece that the ROM copies to RAM. `address` and `length` in bytes of the chip, `offset` in the file."""

    address: int
    length: int
    offset: int

    @property
    def memory(self) -> str:
        """What is at its address: "data RAM" or "instruction RAM"."""
        return next((name for low, high, name in _RAM if low <= self.address < high), "nothing")


@dataclass(frozen=True)
class BootImage:
    """What the ROM finds at the beginning of the flash."""

    mode: str
    """How the flash is read: "qio", "qout", "dio" or "dout"."""
    flash_size: int
    """Bytes of flash that the header says; the firmware believes it, and release 3.x needs 1 MB at least."""
    frequency: str
    """Clock of the flash: "20m", "26m", "40m" or "80m"."""
    entry: int
    """Address at which the ROM starts it."""
    segments: tuple[Segment, ...]
    checksum: int
    end: int
    """Offset behind its last byte."""


def read_boot(part: ImagePart) -> BootImage:
    """Read and check the boot part.

    Args:
        part: for offset 0; what follows the boot part is not looked at.

    Raises:
        ImageError: the ROM would not start it; says why, and at which byte.
    """
    data, name = part.data, part.name
    if not data:
        raise ImageError(f"{name} is empty", remedy=_AGAIN)
    if data[0] != _MAGIC:
        what = mistaken_for(data)
        raise ImageError(f"{name} is not an image for ESP8266" + (f": it is {what}" if what else ""), remedy=_RIGHT)
    if len(data) < _HEADER.size + _SEGMENT.size:
        raise ImageError(f"{name} is cut short: it ends within its header, at byte {len(data)}", remedy=_AGAIN)
    _, count, mode, size_frequency, entry = _HEADER.unpack_from(data)
    if not _is_ram(_SEGMENT.unpack_from(data, _HEADER.size)[0]) and len(data) >= 24:
        chip = other_chip(data)
        if chip is not None:
            raise ImageError(f"{name} is an image for an {chip}, not for ESP8266", remedy=_RIGHT)
    if not 1 <= count <= _MOST_SEGMENTS:
        raise ImageError(f"{name} is damaged: its header says that it has {count} segments", remedy=_AGAIN)
    segments = _segments(part, count)
    _check_places(name, segments, entry)
    end = segments[-1].offset + segments[-1].length
    checksum = _check_sum(part, segments, end)
    if mode >= len(_MODES):
        raise ImageError(f"{name} is damaged: its header says flash mode {mode}, which does not exist", remedy=_AGAIN)
    size, frequency = size_frequency >> 4, size_frequency & 15
    if size not in _SIZES:
        raise ImageError(
            f"{name} is damaged: its header says flash size {size:#x}, which does not exist", remedy=_AGAIN
        )
    if frequency not in _FREQUENCIES:
        raise ImageError(
            f"{name} is damaged: its header says flash frequency {frequency:#x}, which does not exist", remedy=_AGAIN
        )
    last = end // 16 * 16 + 16
    if last > IROM_OFFSET:
        raise ImageError(
            f"{name} is damaged: its boot part ends at {last:#x}, within the code that begins at {IROM_OFFSET:#x}",
            remedy=_AGAIN,
        )
    return BootImage(_MODES[mode], _SIZES[size] << 10, _FREQUENCIES[frequency], entry, segments, checksum, last)


def loaded_bytes(part: ImagePart, boot: BootImage) -> list[bytes]:
    """What the ROM puts into RAM, segment by segment."""
    return [part.data[segment.offset : segment.offset + segment.length] for segment in boot.segments]


def _segments(part: ImagePart, count: int) -> tuple[Segment, ...]:
    data, name = part.data, part.name
    found = []
    at = _HEADER.size
    for number in range(1, count + 1):
        which = f"segment {number} of {count}"
        if at + _SEGMENT.size > len(data):
            raise ImageError(
                f"{name} is cut short: it ends at byte {len(data)}, where {which} should begin", remedy=_AGAIN
            )
        address, length = _SEGMENT.unpack_from(data, at)
        at += _SEGMENT.size
        room = next((high - address for low, high, _ in _RAM if low <= address < high), None)
        if room is None:
            raise ImageError(
                f"{name} is damaged: {which} is for address {address:#010x}, where an ESP8266 has no RAM",
                remedy=_AGAIN,
            )
        if length > room:
            raise ImageError(
                f"{name} is damaged: {which} has {length} bytes, and there is RAM for {room} at its address",
                remedy=_AGAIN,
            )
        if length % 4:
            raise ImageError(f"{name} is damaged: {which} has {length} bytes, which are no whole words", remedy=_AGAIN)
        if at + length > len(data):
            raise ImageError(
                f"{name} is cut short: {which} goes on to byte {at + length}, and the file has {len(data)}",
                remedy=_AGAIN,
            )
        found.append(Segment(address, length, at))
        at += length
    return tuple(found)


def _check_places(name: str, segments: tuple[Segment, ...], entry: int) -> None:
    ordered = sorted((segment for segment in segments if segment.length), key=lambda segment: segment.address)
    for one, next_one in zip(ordered, ordered[1:], strict=False):
        if one.address + one.length > next_one.address:
            raise ImageError(
                f"{name} is damaged: two of its segments are for address {next_one.address:#010x}", remedy=_AGAIN
            )
    if not any(segment.address <= entry < segment.address + segment.length for segment in segments):
        raise ImageError(
            f"{name} is damaged: it starts at address {entry:#010x}, where none of its segments is", remedy=_AGAIN
        )


def _check_sum(part: ImagePart, segments: tuple[Segment, ...], end: int) -> int:
    last = end // 16 * 16 + 15
    if last >= len(part.data):
        raise ImageError(
            f"{part.name} is cut short: it ends at byte {len(part.data)}, and its checksum is at {last}", remedy=_AGAIN
        )
    total = _SEED
    for segment in segments:
        total = reduce(xor, part.data[segment.offset : segment.offset + segment.length], total)
    if part.data[last] != total:
        raise ImageError(
            f"{part.name} is damaged: its checksum says {part.data[last]:#04x}, and its segments give {total:#04x}",
            remedy=_AGAIN,
        )
    return total


def _is_ram(address: int) -> bool:
    return any(low <= address < high for low, high, _ in _RAM)
