"""What people hand over in place of an image, known by how it begins."""

from __future__ import annotations

_STARTS = (
    (b"\x7fELF", "an ELF file (make an image of it with `esptool elf2image`)"),
    (b"PK\x03\x04", "a ZIP archive (unpack it)"),
    (b"\x1f\x8b", "a gzip file (unpack it)"),
    (b"<", "a web page (the download went wrong)"),
    (b"{", "JSON (the download went wrong)"),
    (b":", "an Intel HEX file"),
    (b"\x1bLua", "compiled Lua"),
    (b"UF2\n", "a UF2 file"),
    (b"version https://git-lfs", "a pointer of Git LFS (fetch the file itself)"),
    (b"\xea", "an image for a second-stage loader, which NodeMCU does not use"),
)
#: Magic of the records that an irom part of release 3.x begins with: a partition table of 24 words, record number 1.
_TABLE = b"\x18\x01"
_CODE = "the part of a build for offset 0x10000 (give 0x00000.bin with it, and call both after their offsets)"
#: Code begins with the numbers that its functions use, most of them addresses of the chip's memory, ROM and registers.
_ADDRESSES, _WORDS = (0x3FE00000, 0x40300000), 3
#: The first byte of the SDK's init data (docs/flash.md of the firmware: "rf_cal[0] != 0x05").
_INIT_DATA, _INIT_DATA_SIZE = 0x05, 128
#: The image header's chip number of the later chips, which share the magic byte (esptool, bin_image.py and targets/).
_CHIPS = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    20: "ESP32-C61",
    23: "ESP32-C5",
}


def mistaken_for(data: bytes) -> str | None:
    """What a file that does not begin as an image is, in words, or None if nothing is known of it.

    Args:
        data: the file, not empty.
    """
    if data.count(data[:1]) == len(data) and data[0] in (0x00, 0xFF):
        return f"blank (nothing but {data[0]:#04x})"
    if data[:2] == _TABLE:
        return _CODE
    if data[0] == _INIT_DATA and len(data) <= _INIT_DATA_SIZE:
        return "the SDK's init data (NodeMCU 3.x brings its own)"
    known = next((what for start, what in _STARTS if data.lstrip()[: len(start)] == start), None)
    return known or (_CODE if _looks_like_code(data) else None)


def _looks_like_code(data: bytes) -> bool:
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, 4 * _WORDS, 4)]
    return all(_ADDRESSES[0] <= word < _ADDRESSES[1] for word in words)


def other_chip(data: bytes) -> str | None:
    """The chip that a file which begins with an image's magic byte is for, if that is one of the later chips.

    Their header goes on with a pin number, drive settings, the chip's number, …, and a flag for a hash at the end.

    Args:
        data: the file; at least 24 bytes.
    """
    number = int.from_bytes(data[12:14], "little")
    if data[8] not in (0xEE, 0x00) or data[23] not in (0, 1) or number not in _CHIPS:
        return None
    # Their segments lie at 0x3c000000 and above; an ESP8266's RAM begins at 0x3ffe8000 in bytes 8 to 12.
    return _CHIPS[number]
