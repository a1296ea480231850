"""A minimal ELF file for the Xtensa core: sections with addresses and nothing else, as `esptool elf2image` takes it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_XTENSA = 0x5E
_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION = struct.Struct("<10I")
_PROGBITS, _STRTAB = 1, 3
_ALLOC_EXEC = 0x2 | 0x4


@dataclass(frozen=True)
class Section:
    """A named piece of memory."""

    name: str
    address: int
    data: bytes


def build(entry: int, sections: Sequence[Section]) -> bytes:
    """The ELF file.

    Args:
        entry: address of the first instruction.
        sections: in the order of the image.
    """
    names = b"\0"
    rows = [bytes(_SECTION.size)]
    body = b""
    at = _HEADER.size
    for section in sections:
        rows.append(
            _SECTION.pack(
                len(names), _PROGBITS, _ALLOC_EXEC, section.address, at + len(body), len(section.data), 0, 0, 4, 0
            )
        )
        names += section.name.encode("ascii") + b"\0"
        body += section.data + bytes(-len(section.data) % 4)
    own_name = len(names)
    names += b".shstrtab\0"
    rows.append(_SECTION.pack(own_name, _STRTAB, 0, 0, at + len(body), len(names), 0, 0, 1, 0))
    body += names + bytes(-len(names) % 4)
    header = _HEADER.pack(
        b"\x7fELF\x01\x01\x01".ljust(16, b"\0"),
        2,
        _XTENSA,
        1,
        entry,
        0,
        at + len(body),
        0x300,
        _HEADER.size,
        0,
        0,
        _SECTION.size,
        len(rows),
        len(rows) - 1,
    )
    return header + body + b"".join(rows)
