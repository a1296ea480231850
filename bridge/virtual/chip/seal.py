"""What an image made by this project knows of its own code in flash: a digest of each 4 KiB, checked at every boot.

The boot ROM checks only what it loads to RAM. A stock build with a damaged byte in its code in flash starts, and
crashes some time later, or never; an image that stands in for one has no code that could crash, so it says at once
that it is damaged. The digests lie in the RAM part, which the ROM checks.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection
from dataclasses import dataclass

SECTOR = 4096
_MARK = b"nodemcu-bridge seal 2\0\0\0"
_HEADER = struct.Struct("<24sII")
_DIGEST = 4
#: In place of the digest of a sector that the firmware writes.
_OPEN = bytes(_DIGEST)


@dataclass(frozen=True)
class Seal:
    """Digests of the irom part, one per sector; of the first, whose rest the firmware writes, the built head only.

    Sectors that the firmware writes whole have none.
    """

    digests: tuple[bytes, ...]
    head: int

    @classmethod
    def of(cls, irom: bytes, head: int, written: Collection[int] = ()) -> Seal:
        """The seal of an irom part.

        Args:
            irom: whole sectors.
            head: length of the records (`rcr`) at its beginning.
            written: numbers of other sectors that the firmware writes.
        """
        rest = (
            _OPEN if at // SECTOR in written else _digest(irom[at : at + SECTOR])
            for at in range(SECTOR, len(irom), SECTOR)
        )
        return cls((_digest(irom[:head]), *rest), head)

    def pack(self) -> bytes:
        """As it stands in the RAM part."""
        return _HEADER.pack(_MARK, len(self.digests), self.head) + b"".join(self.digests)

    @classmethod
    def find(cls, ram: bytes) -> Seal | None:
        """The seal in what the ROM loaded; None in any other build."""
        at = ram.find(_MARK)
        if at < 0 or at + _HEADER.size > len(ram):
            return None
        _, count, head = _HEADER.unpack_from(ram, at)
        at += _HEADER.size
        return cls(tuple(ram[at + _DIGEST * n : at + _DIGEST * (n + 1)] for n in range(count)), head)


def broken_sector(seal: Seal, irom: bytes) -> int | None:
    """Number of the first sector that is not what was built; None if all are.

    Args:
        seal: from the RAM part.
        irom: flash from the irom part's offset on.
    """
    for number, digest in enumerate(seal.digests):
        data = irom[number * SECTOR : (number + 1) * SECTOR]
        if number == 0:
            if data[1:2] == b"\0":
                continue  # the firmware has replaced the record it was built with
            data = data[: seal.head]
        elif digest == _OPEN:
            continue
        if _digest(data) != digest:
            return number
    return None


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_DIGEST]
