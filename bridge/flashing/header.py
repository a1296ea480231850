"""The header of an image and the stretches of it that its firmware does not write itself.

The boot ROM and the firmware read flash size, mode and frequency from bytes 2 and 3 of what is at offset 0
(esptool/targets/esp8266.py; `user_pre_init` of app/user/user_main.c).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import ImageError
from bridge.flashing.table import RECORDS_SIZE, read_table, records_of, too_large
from bridge.image import IROM_OFFSET, ImageFacts, ImagePart
from bridge.profile import Profile

NIBBLES = {1 << 19: 0, 1 << 18: 1, 1 << 20: 2, 1 << 21: 3, 1 << 22: 4, 1 << 23: 8, 1 << 24: 9}
_MODES = {"qio": 0, "qout": 1, "dio": 2, "dout": 3}
_FREQUENCIES = {"40m": 0, "26m": 1, "20m": 2, "80m": 15}
#: NodeMCU 3.x needs 1 MB or more ("Flash size … too small to support NodeMCU").
_LEAST = 1 << 20
#: Behind the part in RAM: what the SDK keeps of the radio (RF_CAL, PHY_DATA); up to the irom part.
_KEPT_FROM = 0xB000
#: Sectors behind the records where a build with `tls` keeps certificates.
_CERTIFICATES = 2 * 4096


def corrected(parts: Sequence[ImagePart], flash_size: int, profile: Profile | None = None) -> list[ImagePart]:
    """The image with the flash's true size in its header, and mode and frequency of the profile if one is given.

    Args:
        parts: from `bridge.image.load_image`.
        flash_size: bytes; 0 if it is not known, which leaves the size as it is.
        profile: of the board.
    """
    out = []
    for part in parts:
        data = part.data
        if part.offset == 0:
            mode, size, frequency = data[2], data[3] >> 4, data[3] & 15
            size = NIBBLES.get(flash_size, size)
            if profile is not None:
                mode, frequency = _MODES[profile.flash.mode], _FREQUENCIES[profile.flash.frequency]
            data = data[:2] + bytes([mode, size << 4 | frequency]) + data[4:]
        out.append(ImagePart(part.offset, data, part.name))
    return out


def check_fits(parts: Sequence[ImagePart], facts: ImageFacts, flash_size: int, where: str) -> None:
    """Make sure that an image fits a flash.

    Args:
        parts: of the image.
        facts: of the image.
        flash_size: bytes.
        where: whose flash, for the message: "the board's", "the profile's".

    Raises:
        ImageError: it does not fit.
    """
    end = max(part.offset + len(part.data) for part in parts)
    name = parts[0].name
    what = "profile" if where.startswith("the profile") else "board"
    if end > flash_size:
        raise ImageError(
            f"{name} needs {end} bytes of flash, {where} has {flash_size}",
            remedy=f"Build it with fewer modules, or use a {what} with more flash.",
        )
    table = read_table(records_of(parts))
    if table and flash_size < _LEAST:
        raise ImageError(
            f"{name} is NodeMCU {facts.version}, which needs 1 MB of flash; {where} has {flash_size >> 10} KB",
            remedy=f"Use a {what} with more flash, or an older NodeMCU.",
        )
    fault = too_large(table, flash_size)
    if fault is not None:
        raise ImageError(
            f"{name} does not fit {where} flash: {fault}",
            remedy=f"Build it with a smaller LFS or file system, or use a {what} with more flash.",
        )


def lasting(parts: Sequence[ImagePart], facts: ImageFacts) -> list[tuple[int, bytes]]:
    """The stretches of an image that stay as they were written, with their offsets.

    What is left out is written by the running firmware: calibration of the radio, the records in the first sector of
    the irom part (partition table), and certificates.
    """
    behind = IROM_OFFSET + RECORDS_SIZE + (_CERTIFICATES if facts.ssl or "tls" in facts.modules else 0)
    out = []
    for part in parts:
        end = part.offset + len(part.data)
        for low, high in ((0, _KEPT_FROM), (behind, end)):
            start, stop = max(part.offset, low), min(end, high)
            if start < stop:
                out.append((start, part.data[start - part.offset : stop - part.offset]))
    return out
