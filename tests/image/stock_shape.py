"""Images in the shape of stock builds, put together byte by byte: no code, and none of this project's own marks."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from functools import reduce
from operator import xor

IRAM, DRAM, FLASH = 0x40100000, 0x3FFE8000, 0x40200000
MODULES = "file,gpio,net,node,ow,tmr,uart,wifi"

BANNER_3X = (
    "\nNodeMCU 3.0.0.0 \n\tbranch: release\n\tcommit: {commit}\n\trelease: 3.0.0-release_20240225 +1\n"
    "\trelease DTS: 202402250133\n\tSSL: true\n\tbuild type: {number}\n\tLFS: 0x10000 bytes total capacity\n"
    "\tmodules: {modules}\n build 2024-02-25 01:33 powered by Lua 5.1.4 on SDK %s\n"
)
BANNER_2X = (
    "NodeMCU custom build by frightanic.com\n\tbranch: master\n\tcommit: {commit}\n\tSSL: false\n\tmodules: {modules}\n"
    " build \tbuilt on: 2019-04-06 12:00\n powered by Lua 5.1.4 on SDK %s\n"
)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def boot(segments: Sequence[tuple[int, bytes]], entry: int = IRAM + 4, head: bytes = b"\x02\x40") -> bytes:
    """Header, segments and checksum. `head` is the bytes for the flash's mode, and for its size and frequency."""
    data = struct.pack("<BB2sI", 0xE9, len(segments), head, entry)
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
    data += bytes(15 - len(data) % 16)
    return data + bytes([reduce(xor, b"".join(content for _, content in segments), 0xEF)])


def table(end: int | None, size: int = 0) -> bytes:
    """The records of release 3.x: a partition table with the code's end as its mark, or one that was set up."""
    rows = [(101, 0, 0xB000), (4, 0xD000, 0x1000), (5, 0xF000, 0x1000), (102, 0x10000, size)]
    rows += [(103, 0, 0x10000), (106, 0, 0xFFFFFFFF), (6, 0, 0x3000)]
    rows += [(0, FLASH + end, 0)] if end is not None else []
    packed = b"".join(struct.pack("<III", *row) for row in rows)
    return struct.pack("<BBH", len(packed) // 4, 1, 0) + packed


def image(
    *, release: int = 3, modules: str = MODULES, number: str = "float", size: int = 0x40000, seed: int = 1
) -> bytes:
    """A combined image whose code is `size` bytes of noise around a banner."""
    rng = random.Random(seed)
    end = 0x10000 + size
    banner = (BANNER_3X if release == 3 else BANNER_2X).format(modules=modules, number=number, commit=COMMIT)
    # Addresses of functions in the code, as tables of callbacks have them, up to shortly before its end.
    addresses = [FLASH + 0x10000 + rng.randrange(0x1000, size - 16) // 4 * 4 for _ in range(150)]
    addresses += [FLASH + end - 64 + 4 * n for n in range(8)]
    callbacks = struct.pack(f"<{len(addresses)}I", *addresses)
    boot_part = boot([(IRAM, rng.randbytes(20_000)), (DRAM, rng.randbytes(136)), (DRAM + 136, callbacks)])
    text = banner.encode("latin-1") + b"\0" + b"3.0.1-dev(fce080e)\0"
    code = (table(end).ljust(0x1000, b"\xff") if release == 3 else b"") + rng.randbytes(0x2000) + b"\0" + text
    code += rng.randbytes(size - len(code))
    return boot_part.ljust(0x10000, b"\xff") + code
