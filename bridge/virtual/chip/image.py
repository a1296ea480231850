"""Images for the ESP8266: how the boot ROM reads one, and what a NodeMCU build says of itself inside it."""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass

MAGIC = 0xE9
#: First byte of images for a second-stage loader (SDK "user1.bin"), which NodeMCU does not use.
MAGIC_V2 = 0xEA
CHECKSUM_SEED = 0xEF
_HEADER = struct.Struct("<BBBBI")
_SEGMENT = struct.Struct("<II")
#: The ROM takes segments into these; anything else is an address nothing answers at.
_MEMORY = ((0x3FFE8000, 0x40000000), (0x40100000, 0x40110000))


@dataclass(frozen=True)
class Segment:
    """A piece of the image that the ROM copies to RAM. `offset` is that of the data in the image."""

    address: int
    length: int
    offset: int
    data: bytes

    @property
    def loadable(self) -> bool:
        """False if the ROM cannot copy it: no RAM at its address, or it is cut short."""
        inside = any(low <= self.address and self.address + self.length <= high for low, high in _MEMORY)
        return inside and len(self.data) == self.length


@dataclass(frozen=True)
class Image:
    """What the ROM finds at the start of the flash. Nothing of it has been believed yet: see `valid`."""

    count: int
    mode: int
    size_nibble: int
    frequency_nibble: int
    entry: int
    segments: tuple[Segment, ...]
    stored_checksum: int | None
    end: int

    @property
    def checksum(self) -> int:
        """What the ROM computes over the segments it could read."""
        value = CHECKSUM_SEED
        for segment in self.segments:
            value = checksum(segment.data, value)
        return value

    @property
    def valid(self) -> bool:
        """True if the ROM starts it."""
        return (
            len(self.segments) == self.count
            and all(segment.loadable for segment in self.segments)
            and self.checksum == self.stored_checksum
        )


@dataclass(frozen=True)
class ImageFacts:
    """What a NodeMCU build says of itself (app/include/user_version.h, tools/update_buildinfo.sh).

    Texts that a build does not carry (2.x has no build type, local builds no prolog) are empty.
    """

    lua: str
    """"5.1" or "5.3"."""
    number: str
    """"float", "integer" or "double"."""
    modules: tuple[str, ...]
    """Lower case, in the order of the image."""
    ssl: bool
    banner: str
    """The text the firmware prints at boot, with `\\n` line ends and the SDK's name filled in."""
    version: str = ""
    """As in "NodeMCU 3.0.0.0"."""
    prolog: str = ""
    branch: str = ""
    commit: str = ""
    release: str = ""
    release_dts: str = ""
    lfs_size: int = 0
    """Bytes of Lua flash store the build allots by default."""
    build_date: str = ""
    lua_release: str = "Lua 5.1.4"
    sdk: str = ""
    stand_in: bool = False
    """True for an image that this project made in place of a stock build."""

    @property
    def is_2x(self) -> bool:
        """True for a build of NodeMCU 2.x or of an older one."""
        return self.version[:2] in ("0.", "1.", "2.")


#: Stands in the banner and in the contents of every image made by this project.
STAND_IN_MARK = "stand-in for a stock build, made by nodemcu-bridge"


def checksum(data: bytes, state: int = CHECKSUM_SEED) -> int:
    """The ROM's checksum: all bytes xored together."""
    whole = int.from_bytes(data, "little")
    bits = 8 * len(data)
    # Fold the bytes over each other in halves: the interpreter xors long integers far faster than bytes.
    while bits > 8:
        half = -(-bits // 16) * 8
        whole = (whole >> half) ^ (whole & ((1 << half) - 1))
        bits = half
    return state ^ whole


def parse(data: bytes) -> Image | None:
    """Read an image as the ROM does, from its first byte; None if there is no image (wrong magic).

    Reading stops at the first segment that cannot be (no RAM there, or beyond the end of `data`).
    """
    if len(data) < _HEADER.size or data[0] != MAGIC:
        return None
    _, count, mode, size_frequency, entry = _HEADER.unpack_from(data)
    segments: list[Segment] = []
    at = _HEADER.size
    for _ in range(count):
        if at + _SEGMENT.size > len(data):
            break
        address, length = _SEGMENT.unpack_from(data, at)
        at += _SEGMENT.size
        segment = Segment(address, length, at, data[at : at + length])
        segments.append(segment)
        if not segment.loadable:
            break
        at += length
    # The checksum is the last byte of the 16-byte line in which the segments end (a full line more if they fill one).
    last = at // 16 * 16 + 15
    stored = data[last] if last < len(data) else None
    return Image(count, mode, size_frequency >> 4, size_frequency & 15, entry, tuple(segments), stored, last + 1)


_BANNER = re.compile(rb"NodeMCU [^\0]{0,6000}?powered by Lua [^\0]*")
_SDK = re.compile(rb"\d+\.\d+\.\d+(?:[-.][\w.]+)?\([0-9a-f]{6,10}\)")
_FIELD = re.compile(r"^[ \t]*(branch|commit|release|release DTS|SSL|build type|LFS|modules):[ \t]*(.*)$", re.M)


@functools.lru_cache(maxsize=4)  # a megabyte is looked through at each boot
def find_facts(data: bytes) -> ImageFacts | None:
    """What the build in these bytes says of itself; None if it is not NodeMCU.

    Takes a whole flash, a combined binary, or the irom part alone. Stock 3.x keeps one C string from
    "NodeMCU 3.0.0.0" to "on SDK %s"; older builds vary, so that each field may be missing.
    """
    found = max(_BANNER.findall(data), key=len, default=None)
    if found is None:
        return None
    text = found.decode("latin-1")
    fields = {name: value.strip() for name, value in _FIELD.findall(text)}
    sdk_match = _SDK.search(text.encode("latin-1")) or _SDK.search(data)
    sdk = sdk_match.group().decode("ascii") if sdk_match else ""
    banner = (text.replace("%s", sdk) if "%s" in text else text).rstrip("\n")
    first = text.split("\n", 1)[0]
    version, _, prolog = first.removeprefix("NodeMCU ").partition(" ")
    lua_release = re.search(r"powered by (Lua [\d.]+)", text)
    build = re.search(r"\bbuild\s+(?:built on: )?(\d[^\n]*?)\s+powered by", text)
    lfs = re.match(r"0x[0-9a-fA-F]+|\d+", fields.get("LFS", ""))
    names = tuple(name.strip() for name in fields.get("modules", "").split(","))
    release = lua_release.group(1) if lua_release else "Lua 5.1.4"
    return ImageFacts(
        lua="5.3" if release.startswith("Lua 5.3") else "5.1",
        number=fields.get("build type", "") or "float",
        modules=tuple(name for name in names if name and name != "-"),
        ssl=fields.get("SSL", "").lower() == "true",
        banner=banner,
        version=version if version[:1].isdigit() else "",
        prolog="" if prolog.strip().startswith("build ") else prolog.strip(),
        branch=fields.get("branch", ""),
        commit=fields.get("commit", ""),
        release=fields.get("release", ""),
        release_dts=fields.get("release DTS", ""),
        lfs_size=int(lfs.group(), 0) if lfs else 0,
        build_date=build.group(1) if build else "",
        lua_release=release,
        sdk=sdk,
        stand_in=STAND_IN_MARK.encode("ascii") in data,
    )
