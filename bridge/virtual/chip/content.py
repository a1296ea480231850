"""What stands in the sections of a stand-in image: the texts of a stock build, its partition table, and filling."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from bridge.virtual.chip.elf import Section
from bridge.virtual.chip.image import STAND_IN_MARK, parse
from bridge.virtual.chip.layout import (
    CLIENT_CERT,
    IROM_ADDRESS,
    IROM_OFFSET,
    SERVER_CERT,
    PartitionType,
    default_table,
    find,
    first_time_setup,
    pack_table,
)
from bridge.virtual.chip.rcr import Record
from bridge.virtual.chip.seal import SECTOR, Seal, broken_sector

if TYPE_CHECKING:
    from bridge.virtual.chip.make_image import Recipe

#: LUA_RELEASE of each version in release 3.0.0 (app/lua/lua.h, app/lua53/lua.h).
LUA_RELEASES = {"5.1": "Lua 5.1.4", "5.3": "Lua 5.3.6"}
SDK = "3.0.1-dev(fce080e)"
COMMIT = "36cbf9f017d356319a6369e299765eedff191154"
RELEASE = "3.0.0-release_20240225"
RELEASE_DTS = "202402250133"
BUILD_DATE = "2024-02-25 01:33"
#: The same of release 2.2.1.
SDK_2X = "2.2.1(6ab97e9)"
COMMIT_2X = "4905381c004bdeaf744a60bb940c1906c2e052d4"
BUILD_DATE_2X = "2019-04-05 12:00"
#: Changes whenever the same recipe gives another image.
_EDITION = 4

_IRAM, _DRAM = 0x40100000, 0x3FFE8000
ENTRY = _IRAM + 4
#: `j .`: a real chip that is flashed with a stand-in waits here for its watchdog.
_LOOP = b"\x06\xff\xff"
_IRAM_SIZE = 27_444
#: The irom part, as large as that of a build with some twenty modules. One size for all lists (up to forty modules),
#: so that a board keeps its file system, which begins behind the irom part, when it is flashed with another list.
_IROM_SIZE = 0x60000
_LONG_LIST, _LONGER = 40, 0x20000
_README = (
    f"This image is a {STAND_IN_MARK}, for use on its virtual board. "
    "It holds no machine code of NodeMCU or of anybody else. Do not flash it to a real board.\0"
).encode("ascii")


def sections(recipe: Recipe) -> list[Section]:
    """The sections of the ELF file, in the order of a stock build."""
    records = _records(recipe)
    irom = _irom(recipe, records)
    code = bytes(4) + _LOOP + b"\0" + _filling("iram", _IRAM_SIZE - 8)
    rodata = _README + bytes(-len(_README) % 4) + Seal.of(irom, len(records), _written(recipe)).pack()
    return [
        Section(".text", _IRAM, code),
        Section(".data", _DRAM, _filling("data", 136)),
        Section(".rodata", _DRAM + 136, rodata + bytes(-len(rodata) % 4)),
        Section(".irom0.text", IROM_ADDRESS, irom),
    ]


def digest(recipe: Recipe) -> str:
    """Tells images of one recipe apart that different versions of this module made."""
    return hashlib.sha256(repr((_EDITION, texts(recipe))).encode()).hexdigest()


def whole(data: bytes) -> bool:
    """True if the irom part of a combined stand-in is as it was built."""
    image = parse(data)
    seal = Seal.find(b"".join(segment.data for segment in image.segments)) if image else None
    return seal is not None and broken_sector(seal, data[IROM_OFFSET:]) is None


def texts(recipe: Recipe) -> list[bytes]:
    """The C strings by which a stock build can be known (app/include/user_version.h, app/lua53/lua.c, node.c)."""
    modules = ",".join(recipe.modules) or "-"
    if recipe.firmware == "2.2.1":
        return _texts_2x(recipe, modules)
    ssl = "true" if recipe.ssl or _has_tls(recipe) else "false"
    fields = (
        ("branch", "release"),
        ("commit", COMMIT),
        ("release", RELEASE),
        ("release DTS", RELEASE_DTS),
        ("SSL", ssl),
        ("build type", recipe.number),
        ("LFS", "0x0 bytes total capacity"),
        ("modules", modules),
    )
    banner = f"\nNodeMCU 3.0.0.0 {STAND_IN_MARK}\n"
    banner += "".join(f"\t{name}: {value}\n" for name, value in fields)
    banner += f" build {BUILD_DATE} powered by {LUA_RELEASES[recipe.lua]} on SDK %s\n"
    single = [banner, SDK, "release", COMMIT, RELEASE, RELEASE_DTS, recipe.number, modules, *recipe.modules]
    return [text.encode("ascii") + b"\0" for text in single]


def _texts_2x(recipe: Recipe, modules: str) -> list[bytes]:
    """As a build service writes app/include/user_version.h; a 2.x does not say its number type, this must."""
    banner = f"NodeMCU 2.2.1.0 {STAND_IN_MARK}\n\tbranch: master\n\tcommit: {COMMIT_2X}\n"
    banner += f"\tSSL: {'true' if recipe.ssl or _has_tls(recipe) else 'false'}\n\tmodules: {modules}\n"
    if recipe.number != "float":
        banner += f"\tbuild type: {recipe.number}\n"
    banner += f" build {BUILD_DATE_2X} powered by {LUA_RELEASES[recipe.lua]} on SDK %s\n"
    return [text.encode("ascii") + b"\0" for text in (banner, SDK_2X, modules, *recipe.modules)]


def _irom_size(recipe: Recipe) -> int:
    return _IROM_SIZE + len(recipe.modules) // _LONG_LIST * _LONGER


def _records(recipe: Recipe) -> bytes:
    """The reboot configuration records an image comes with."""
    built = default_table(IROM_ADDRESS + _irom_size(recipe))
    if recipe.fresh:
        return _record(Record.PARTITION_TABLE, pack_table(built))
    # For less than 1 MB, which the firmware refuses before it looks at the table, any table does.
    table = first_time_setup(built, max(recipe.flash_size, 1 << 20))
    phy = find(table, PartitionType.PHY_DATA)
    assert phy is not None
    address = phy.address.to_bytes(4, "little")
    return _record(Record.PARTITION_TABLE, pack_table(table)) + _record(Record.PHY_DATA, address)


def _record(id: Record, data: bytes) -> bytes:
    return struct.pack("<BBH", len(data) // 4, id, 0) + data


def _irom(recipe: Recipe, records: bytes) -> bytes:
    size = _irom_size(recipe)
    strings = b"".join(text + bytes(-len(text) % 4) for text in texts(recipe))
    certificates = bytes(SECTOR * len(_written(recipe)))
    body = _filling("irom", size - SECTOR - len(certificates) - len(strings) - len(_README))
    middle = len(body) // 8 * 4
    return records.ljust(SECTOR, b"\xff") + certificates + body[:middle] + strings + body[middle:] + _README


def _has_tls(recipe: Recipe) -> bool:
    return "tls" in recipe.modules


def _written(recipe: Recipe) -> tuple[int, ...]:
    """Sectors of the irom part, behind the first, that the firmware writes: `tls` keeps certificates in two."""
    return tuple((at - IROM_OFFSET) // SECTOR for at in (SERVER_CERT, CLIENT_CERT)) if _has_tls(recipe) else ()


def _filling(name: str, size: int) -> bytes:
    """Bytes in place of code: like code, they compress to about two thirds; always the same for one name."""
    noise = hashlib.shake_128(f"nodemcu-bridge {name}".encode()).digest(size)
    lines = []
    for at in range(0, size, 16):
        # Ten bytes of noise in each line of sixteen, the rest the same everywhere.
        lines.append(noise[at : at + 10] + b"\x12\xc1\xf0\x0d\xf0\0")
    return b"".join(lines)[:size]
