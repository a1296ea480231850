"""The mask ROM's boot from flash: what it reads, what it prints at 74880 baud, and where it gives up.

The texts are those of real boards (esp8266/Arduino issues 435, 2370; nodemcu-firmware issue 3312).
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.image import CHECKSUM_SEED, MAGIC, MAGIC_V2, Image, checksum, parse

#: The ROM sets its UART up for a 40 MHz crystal; with the 26 MHz one of every module it comes out like this.
BOOT_BAUD = 74_880
#: Second number of "boot mode:(3,6)": pins of the SD interface, as on a devkit.
_SD_STRAPS = 6
_LINE = 16
_SEGMENT_HEADER = 8
#: Far more than RAM can take of segments.
_LONGEST = 0x40000


@dataclass(frozen=True)
class FlashBoot:
    """Outcome of a boot from flash."""

    text: str
    """With `\\n` line ends."""
    image: Image | None
    """What was loaded; None if the ROM gave up."""
    why: str = ""
    """One sentence for a person if it gave up."""


def greeting(cause: int, *, download: bool) -> str:
    """The first line, blank line behind it included."""
    mode = 1 if download else 3
    return f"\n ets Jan  8 2013,rst cause:{cause}, boot mode:({mode},{_SD_STRAPS})\n\n"


def flash_boot(flash: FlashMemory, cause: int) -> FlashBoot:
    """Load what is in flash at offset 0.

    Args:
        flash: read only.
        cause: the number the ROM prints as "rst cause": 1 power, 2 reset pin or software, 4 watchdog.
    """
    text = greeting(cause, download=False)
    if cause == 4:
        text += "wdt reset\n"
    data = flash.read(0, min(flash.size, _LONGEST))
    image = parse(data)
    if image is None:
        return FlashBoot(text + "ets_main.c \n", None, _no_image(flash, data))
    position = 8
    whole, value = True, CHECKSUM_SEED
    for number, segment in enumerate(image.segments):
        # The ROM reads lines of 16 bytes. "room" is what is left of the line behind a segment's header; the first
        # header ends with its line, and a new one counts.
        position += _SEGMENT_HEADER
        room = -position % _LINE if number else _LINE
        text += f"load 0x{segment.address:08x}, len {_signed(segment.length)}, room {room} \n"
        if not segment.loadable:
            whole = False
            break
        position += segment.length
        inside = segment.length < room
        tail = segment.length if inside else (segment.length - room) % _LINE
        value = checksum(segment.data, value)
        text += f"tail {tail}\nchksum 0x{value:02x}\n"
        head = _LINE - room if inside else 0
        left = _LINE - head - tail
        if left < _SEGMENT_HEADER and number + 1 < image.count:
            text += f"ho {head} tail {tail} room {left}\n"
    if not whole or len(image.segments) < image.count:
        why = "the image at 0x00000 has a segment that is cut short or lies where no RAM is"
        return FlashBoot(text, None, why)
    text += f"csum 0x{value:02x}\n"
    if not image.valid:
        stored = f"0x{image.stored_checksum:02x}" if image.stored_checksum is not None else "nothing"
        why = f"the image at 0x00000 is damaged: its bytes make checksum 0x{value:02x}, stored is {stored}"
        other = _find_image(flash)
        if other is not None:
            why += f"; a whole image begins at 0x{other:05x}"
        return FlashBoot(text + "csum err\nets_main.c \n", None, why)
    return FlashBoot(text, image)


def _no_image(flash: FlashMemory, data: bytes) -> str:
    if not data[:4096].strip(b"\xff"):
        found = _find_image(flash)
        if found is None:
            return "the flash is erased"
        return f"there is no image at 0x00000, where the chip boots from; one begins at 0x{found:05x}"
    if data[0] == MAGIC_V2:
        return "the image at 0x00000 is for a second-stage loader, which is not there"
    return f"there is no image at 0x00000: it begins with 0x{data[0]:02x} instead of 0x{MAGIC:02x}"


def _find_image(flash: FlashMemory) -> int | None:
    """Offset of a sector that begins with a valid image, for whoever flashed it to the wrong place."""
    for at in range(4096, min(flash.size, 0x200000), 4096):
        if flash.read(at, 1)[0] == MAGIC:
            image = parse(flash.read(at, min(_LONGEST, flash.size - at)))
            if image is not None and image.valid:
                return at
    return None


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
