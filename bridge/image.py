"""Firmware images for the ESP8266, read as plain bytes: is it one, is it whole, and which NodeMCU is in it."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor
from pathlib import Path

from bridge.errors import ImageError

#: Stock builds come as one file for offset 0, or as two named after their offsets (docs/flash.md of the firmware).
IROM_OFFSET = 0x10000
_MAGIC, _MAGIC_V2, _SEED = 0xE9, 0xEA, 0xEF
#: Where the boot ROM can put a segment: data RAM and instruction RAM.
_RAM = ((0x3FFE8000, 0x40000000), (0x40100000, 0x40110000))
#: What people hand over by mistake: first bytes and what they are.
_MISTAKES = (
    (b"\x7fELF", "an ELF file (make an image of it with `esptool elf2image`)"),
    (b"PK\x03\x04", "a ZIP archive (unpack it)"),
    (b"\x1f\x8b", "a gzip file (unpack it)"),
    (b"<", "a web page (the download went wrong)"),
    (b":", "an Intel HEX file"),
    (b"\x1bLua", "compiled Lua"),
    (b"UF2\n", "a UF2 file"),
)
_BANNER = re.compile(rb"NodeMCU [^\0]{0,6000}?powered by Lua [^\0]*")
_FIELD = re.compile(r"^[ \t]*([A-Za-z ]+):[ \t]*(.*)$", re.M)


@dataclass(frozen=True)
class ImagePart:
    """A piece of firmware and the flash offset it belongs at, in bytes."""

    offset: int
    data: bytes
    name: str = "the image"


@dataclass(frozen=True)
class ImageFacts:
    """What a NodeMCU build says of itself. Texts that a build does not carry are empty."""

    lua: str
    """"5.1" or "5.3"."""
    number: str
    """"float", "integer" or "double"."""
    modules: tuple[str, ...]
    """Lower case, in the order of the image."""
    ssl: bool
    version: str
    """As in "NodeMCU 3.0.0.0"."""
    release: str
    build_date: str


def load_image(*paths: Path) -> list[ImagePart]:
    """Read image files.

    Args:
        paths: one combined image, or the two of a local build, named `0x00000.bin` and `0x10000.bin`.

    Raises:
        ImageError: a file cannot be read, or its place in the flash is not clear.
    """
    parts = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(f"{path} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
        named = re.fullmatch(r"0x([0-9a-fA-F]+)", path.stem)
        if named is None and len(paths) > 1:
            raise ImageError(
                f"Where in the flash {path.name} belongs is not clear",
                remedy="Give one combined image, or files named after their offsets (0x00000.bin and 0x10000.bin).",
            )
        parts.append(ImagePart(int(named.group(1), 16) if named else 0, data, path.name))
    return sorted(parts, key=lambda part: part.offset)


def check_image(parts: Sequence[ImagePart], needs: Sequence[str] = ("net",)) -> ImageFacts:
    """Make sure that an image is a whole NodeMCU build for ESP8266 with the modules that are needed.

    Args:
        parts: from `load_image`.
        needs: modules without which the bridge can do nothing.

    Returns:
        What the build says of itself.

    Raises:
        ImageError: it is something else, damaged, without NodeMCU, or lacks a module; says which.
    """
    first = next((part for part in parts if part.offset == 0), None)
    if first is None:
        raise ImageError("No image is for offset 0, where the board starts", remedy="Give 0x00000.bin too.")
    _check_boot(first)
    facts = find_facts(b"\0".join(part.data for part in parts))
    if facts is None:
        raise ImageError(
            f"{first.name} is for ESP8266 but holds no NodeMCU firmware",
            remedy="Use a build from nodemcu-build.com or of your own"
            + (" (with 0x10000.bin beside it)." if len(first.data) <= IROM_OFFSET else "."),
        )
    missing = [name for name in needs if name not in facts.modules]
    if missing:
        raise ImageError(
            f"{first.name} lacks the module {' and '.join(missing)} (it has {', '.join(facts.modules) or 'none'})",
            remedy="Build the firmware with it.",
        )
    return facts


def find_facts(data: bytes) -> ImageFacts | None:
    """What the build in these bytes says of itself, or None if it is not NodeMCU (app/include/user_version.h)."""
    found = max(_BANNER.findall(data), key=len, default=None)
    if found is None:
        return None
    text = found.decode("latin-1")
    fields = {name.strip(): value.strip() for name, value in _FIELD.findall(text)}
    version = re.match(r"NodeMCU (\d[\d.]*)", text)
    build = re.search(r"\bbuild (?:built on: )?(\d[^\n]*?)\s+powered by", text)
    modules = tuple(name.strip() for name in fields.get("modules", "").split(","))
    return ImageFacts(
        lua="5.3" if "powered by Lua 5.3" in text else "5.1",
        number=fields.get("build type") or "float",
        modules=tuple(name for name in modules if name not in ("", "-")),
        ssl=fields.get("SSL", "").lower() == "true",
        version=version.group(1) if version else "",
        release=fields.get("release", ""),
        build_date=build.group(1) if build else "",
    )


def _check_boot(part: ImagePart) -> None:
    """Read the image as the boot ROM does: header, segments, checksum."""
    data = part.data
    if not data:
        raise ImageError(f"{part.name} is empty", remedy="Download or build it again.")
    if len(data) < 24 or data[0] != _MAGIC:
        what = next((what for start, what in _MISTAKES if data.lstrip()[: len(start)] == start), None)
        if data[0] == _MAGIC_V2:
            what = "an image for a second-stage loader, which NodeMCU does not use"
        raise ImageError(
            f"{part.name} is not an image for ESP8266" + (f": it is {what}" if what else ""),
            remedy="Use a NodeMCU build for ESP8266.",
        )
    at, total = 8, _SEED
    for number in range(data[1]):
        address, length = struct.unpack_from("<II", data, at) if at + 8 <= len(data) else (0, 0)
        if not any(low <= address and address + length <= high for low, high in _RAM):
            # All later chips share the magic byte; their header goes on with a pin number and a chip number.
            other = number == 0 and data[8] in (0xEE, 0x00) and data[23] in (0, 1)
            raise ImageError(
                f"{part.name} is an image for an ESP32, not for ESP8266" if other else f"{part.name} is damaged",
                remedy="Use a NodeMCU build for ESP8266." if other else "Download or build it again.",
            )
        at += 8 + length
        if at > len(data):
            raise ImageError(f"{part.name} is cut short", remedy="Download or build it again.")
        total = reduce(xor, data[at - length : at], total)
    last = at // 16 * 16 + 15
    if last >= len(data) or data[last] != total:
        raise ImageError(f"{part.name} is damaged (its checksum is wrong)", remedy="Download or build it again.")
