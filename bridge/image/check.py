"""Is it an image for ESP8266, is it whole, and is a NodeMCU in it that the bridge can work with?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import ImageError
from bridge.image.banner import ImageFacts, find_facts
from bridge.image.boot import BootImage, loaded_bytes, read_boot
from bridge.image.extent import Extent, TableError, referenced_extent, table_extent
from bridge.image.parts import IROM_OFFSET, ImagePart, flat
from bridge.image.seal import broken_sector

#: Modules without which there is no link, or nothing for it to carry.
NEEDED = ("net", "node", "tmr", "uart")
#: The oldest release that the bridge was tried with.
OLDEST = (2, 2)
_NUMBERS = ("float", "integer", "double")
_AGAIN = "Download or build it again."
_BUILD = "Build one as `nodemcu-bridge firmware how` says."


@dataclass(frozen=True)
class Examined:
    """What is in a whole image."""

    boot: BootImage
    facts: ImageFacts
    size: int
    """Bytes of flash from offset 0 to the end of what is written."""
    code_end: int | None
    """Offset behind the code at least, where the image says so."""


def check_image(parts: Sequence[ImagePart], needs: Sequence[str] = NEEDED) -> ImageFacts:
    """Make sure that an image is a whole NodeMCU build for ESP8266 with the modules that are needed.

    Args:
        parts: from `load_image`.
        needs: modules without which the bridge can do nothing.

    Returns:
        What the build says of itself.

    Raises:
        ImageError: it is something else, damaged, cut, without NodeMCU, too old, or lacks a module; says which.
    """
    facts = examine(parts).facts
    name = _first(parts).name
    version = _number(facts.version)
    if version and version < OLDEST:
        raise ImageError(
            f"{name} is NodeMCU {facts.version}{_of(facts.build_date)}, and the bridge needs 2.2.1 or later",
            remedy=_BUILD,
        )
    missing = [module for module in dict.fromkeys(needs) if module not in facts.modules]
    if missing and not facts.listed:
        raise ImageError(
            f"{name} does not list its modules, and nothing in it looks like the module {in_words(missing, 'or')}",
            remedy=_BUILD,
        )
    if missing:
        raise ImageError(
            f"{name} lacks the module {in_words(missing)} (it has {', '.join(facts.modules) or 'none'})",
            remedy=_BUILD,
        )
    return facts


def in_words(names: Sequence[str], last: str = "and") -> str:
    """Names as a list in a sentence: "net, node and tmr"."""
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def examine(parts: Sequence[ImagePart]) -> Examined:
    """Take a whole image apart.

    Raises:
        ImageError: it is not for ESP8266, damaged, cut, or without NodeMCU; says which, and where.
    """
    first = _first(parts)
    boot = read_boot(first)
    whole = flat(parts)
    name = first.name
    if len(whole) <= IROM_OFFSET:
        raise ImageError(
            f"{name} holds only what is loaded to RAM; the code that belongs at {IROM_OFFSET:#x} is missing",
            remedy="Give 0x10000.bin too, or one combined image.",
        )
    code, loaded = whole[IROM_OFFSET:], loaded_bytes(first, boot)
    facts = find_facts(b"\0".join([first.data[: boot.end], code]))
    extent = _extent(name, facts, code, loaded, len(whole))
    if extent is not None and extent.end > len(whole):
        raise ImageError(
            f"{name} is cut short: its code goes on to {extent.end:#x} at least, as {extent.told_by} says, "
            f"and it ends at {len(whole):#x}",
            remedy=_AGAIN,
        )
    broken = broken_sector(b"".join(loaded), code)
    if broken is not None and (broken + 1) * 4096 > len(code):
        raise ImageError(f"{name} is cut short: it ends within its code, at {len(whole):#x}", remedy=_AGAIN)
    if broken is not None:
        raise ImageError(
            f"{name} is damaged: its code at {IROM_OFFSET + broken * 4096:#x} is not what was built", remedy=_AGAIN
        )
    if facts is None:
        raise ImageError(
            f"{name} is for ESP8266 but holds no NodeMCU firmware",
            remedy="Use a build from nodemcu-build.com or of your own.",
        )
    if facts.number not in _NUMBERS:
        raise ImageError(
            f"{name} says that its numbers are of the type {facts.number[:20]!r}, which does not exist", remedy=_AGAIN
        )
    return Examined(boot, facts, len(whole), extent.end if extent is not None else None)


def _first(parts: Sequence[ImagePart]) -> ImagePart:
    first = next((part for part in parts if part.offset == 0), None)
    if first is None:
        raise ImageError("No image is for offset 0, where the board starts", remedy="Give 0x00000.bin too.")
    return first


def _extent(name: str, facts: ImageFacts | None, code: bytes, loaded: list[bytes], length: int) -> Extent | None:
    try:
        if facts is None or _number(facts.version)[:1] >= (3,):
            return table_extent(code)
    except TableError as error:
        if facts is not None:
            raise ImageError(
                f"{name} is damaged: the partition table that NodeMCU {facts.version} begins with {error}",
                remedy=_AGAIN,
            ) from error
    return referenced_extent(loaded, length)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.strip(".").split(".") if part.isdigit())


def _of(date: str) -> str:
    return f" of {date}" if date else ""
