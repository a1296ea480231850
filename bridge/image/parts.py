"""The files of an image, and where in the flash each belongs."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import ImageError

#: Stock builds come as one file for offset 0, or as two named after their offsets (docs/flash.md of the firmware).
IROM_OFFSET = 0x10000
#: The largest flash an ESP8266 can have, in bytes.
LARGEST = 16 << 20


@dataclass(frozen=True)
class ImagePart:
    """A piece of firmware and the flash offset it belongs at, in bytes."""

    offset: int
    data: bytes
    name: str = "the image"

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal: what `sha256sum` says of the file."""
        return hashlib.sha256(self.data).hexdigest()


def load_image(*paths: Path) -> list[ImagePart]:
    """Read image files.

    Args:
        paths: one combined image, or the two of a local build, named `0x00000.bin` and `0x10000.bin`.

    Raises:
        ImageError: a file cannot be read, or its place in the flash is not clear.
    """
    parts = []
    for path in paths:
        named = re.fullmatch(r"0x([0-9a-fA-F]{1,8})", path.stem)
        if named is None and len(paths) > 1:
            raise ImageError(
                f"Where in the flash {path.name} belongs is not clear",
                remedy="Give one combined image, or files named after their offsets (0x00000.bin and 0x10000.bin).",
            )
        parts.append(ImagePart(int(named.group(1), 16) if named else 0, _read(path), path.name))
    return sorted(parts, key=lambda part: part.offset)


def image_id(parts: Sequence[ImagePart]) -> str:
    """What tells an image from every other: the SHA-256 of a combined image's bytes, or of its parts and places."""
    if len(parts) == 1 and parts[0].offset == 0:
        return parts[0].sha256
    places = "".join(f"{part.offset:#x} {part.sha256}\n" for part in sorted(parts, key=lambda part: part.offset))
    return hashlib.sha256(places.encode()).hexdigest()


def flat(parts: Sequence[ImagePart]) -> bytes:
    """The flash as it is behind the writing, from offset 0 on, with 0xff where nothing is written.

    Raises:
        ImageError: parts lie over each other, or behind the end of any flash.
    """
    whole = bytearray()
    for part in sorted(parts, key=lambda part: part.offset):
        if part.offset < len(whole):
            raise ImageError(
                f"{part.name} lies over the part before it, which goes on to {len(whole):#x}",
                remedy="Give the combined image alone, or the two files of one build.",
            )
        if part.offset + len(part.data) > LARGEST:
            raise ImageError(
                f"{part.name} goes on to {part.offset + len(part.data):#x}, behind the end of the largest flash",
                remedy="Use a NodeMCU build for ESP8266.",
            )
        whole += b"\xff" * (part.offset - len(whole)) + part.data
    return bytes(whole)


def _read(path: Path) -> bytes:
    try:
        # A pipe would be waited for, for ever if nobody writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "no plain file"
            raise ImageError(f"{path} is {kind}", remedy="Give the image's file.")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    if len(data) > LARGEST:
        raise ImageError(
            f"{path} is larger than any flash of an ESP8266 ({LARGEST} bytes)",
            remedy="Check that it is the file you mean.",
        )
    return data
