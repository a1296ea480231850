"""Ways in which an image can be wrong, each with what must be said of it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: What is said of an image that ends too early, wherever that is.
CUT = "is empty|is cut short|holds only what is loaded to RAM"


@dataclass(frozen=True)
class Mutation:
    """A wrong image."""

    name: str
    data: bytes
    said: str
    """A pattern of what must be said."""


def segments(data: bytes) -> list[tuple[int, int, int]]:
    """Offset of each segment's head, its address and its length."""
    found, at = [], 8
    for _ in range(data[1]):
        address, length = struct.unpack_from("<II", data, at)
        found.append((at, address, length))
        at += 8 + length
    return found


def word(data: bytes, at: int, value: int) -> bytes:
    """The same with another word of 32 bits."""
    return data[:at] + struct.pack("<I", value & 0xFFFFFFFF) + data[at + 4 :]


def byte(data: bytes, at: int, value: int) -> bytes:
    """The same with another byte."""
    return data[:at] + bytes([value]) + data[at + 1 :]


def reseal(data: bytes) -> bytes:
    """The same with the checksum that its segments give, so that only what is meant to be wrong is."""
    total, end = 0xEF, 8
    for at, _, length in segments(data):
        for value in data[at + 8 : at + 8 + length]:
            total ^= value
        end = at + 8 + length
    return byte(data, end // 16 * 16 + 15, total)


def of_the_boot_part(data: bytes, rng: random.Random) -> Iterator[Mutation]:
    """What the boot ROM stumbles over."""
    parts = segments(data)
    end = parts[-1][0] + 8 + parts[-1][2]
    last = end // 16 * 16 + 15
    cuts = {0, 1, 2, 7, 8, 11, 12, 15, 16, last, last + 1, 0xFFFF, 0x10000}
    for at, _, length in parts:
        cuts |= {at, at + 4, at + 8, at + 8 + length // 2, at + 7 + length, at + 8 + length}
    for at in sorted(cut for cut in cuts if cut <= 0x10000):
        yield Mutation(f"cut at {at}", data[:at], CUT)
    for value in rng.sample([value for value in range(256) if value != 0xE9], 24):
        yield Mutation(f"magic {value:#x}", byte(data, 0, value), "is not an image for ESP8266")
    for bit in range(8):
        yield Mutation(f"checksum bit {bit}", byte(data, last, data[last] ^ 1 << bit), "its checksum says")
    for _ in range(24):
        at, _, length = rng.choice(parts)
        where = at + 8 + rng.randrange(length)
        yield Mutation(f"RAM byte {where}", byte(data, where, data[where] ^ 1 << rng.randrange(8)), "its checksum says")
    for count in (0, 17, 100, 255):
        yield Mutation(f"{count} segments", byte(data, 1, count), f"says that it has {count} segments")
    for count in (1, 2, len(parts) + 1, 16):
        if count != len(parts):
            yield Mutation(f"{count} segments", byte(data, 1, count), "is damaged|is cut short")
    for number, (at, _, length) in enumerate(parts, 1):
        for wrong in (0, 4, length - 4, length - 1, length + 1, length + 4, length + 64, 0xF000):
            # Four zeros more, of those that fill the line of the checksum, change nothing: the ROM loads it as before.
            same = wrong > length and not any(data[at + 8 + length : min(at + 8 + wrong, last + 1)]) and wrong % 4 == 0
            if wrong != length and not same:
                yield Mutation(f"segment {number} of {wrong}", word(data, at + 4, wrong), "is damaged|is cut short")
        for wrong in (0x20000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.randrange(1 << 24, 1 << 32)):
            yield Mutation(
                f"segment {number} of {wrong}", word(data, at + 4, wrong), f"segment {number} of .* there is RAM for"
            )
        for wrong in (0, 0x3FFE7FFC, 0x40000000, 0x400FFFFC, 0x40110000, 0x40210000, 0x60000000, 0xFFFFFFFF):
            yield Mutation(
                f"segment {number} at {wrong:#x}", word(data, at, wrong), f"segment {number} of .* has no RAM"
            )
        other = parts[number % len(parts)][1]
        yield Mutation(f"segment {number} over another", word(data, at, other), "two of its segments|there is RAM for")
    for entry in (0, 0x3FFE8000, 0x40000000, 0x40210000, 0x4010FFFC, 0xFFFFFFFF):
        if not any(address <= entry < address + length for _, address, length in parts):
            yield Mutation(f"entry {entry:#x}", word(data, 4, entry), "it starts at address")
    for mode in (4, 5, 0x7F, 0xE9, 0xFF):
        yield Mutation(f"mode {mode}", byte(data, 2, mode), f"flash mode {mode}, which does not exist")
    for nibble in (7, 10, 11, 12, 13, 14, 15):
        wrong = byte(data, 3, nibble << 4 | data[3] & 15)
        yield Mutation(f"size nibble {nibble}", wrong, f"flash size {nibble:#x}, which does not exist")
    for nibble in range(3, 15):
        wrong = byte(data, 3, data[3] & 0xF0 | nibble)
        yield Mutation(f"frequency nibble {nibble}", wrong, f"flash frequency {nibble:#x}, which does not exist")


def of_the_code(data: bytes, rng: random.Random, *, end: int, table: bool, sealed: bool) -> Iterator[Mutation]:
    """What the ROM does not see. `end` is where the code ends for certain; `sealed` that each byte of it counts."""
    for at in sorted({0x10001, 0x10064, 0x11000, 0x12345, *(rng.randrange(0x10001, end) for _ in range(16)), end - 1}):
        said = (
            f"{CUT}|partition table|holds no NodeMCU" if at < 0x11000 or not sealed else f"{CUT}|is not what was built"
        )
        yield Mutation(f"cut at {at:#x}", data[:at], said)
    boot_part, code = data[:0x10000], data[0x10000:]
    none = "is not what was built" if sealed else "holds no NodeMCU firmware"
    for text in (b"NodeMCU ", b"powered by Lua"):
        yield Mutation(f"without {text!r}", boot_part + code.replace(text, b"x" * len(text)), none)
    yield Mutation("code of zeros", boot_part + bytes(len(code)), none)
    yield Mutation("code of 0xff", boot_part + b"\xff" * len(code), none)
    if table:
        for name, at, value in (
            ("no table", 0x10000, 0xFFFFFFFF),
            ("another record", 0x10000, 0x00000218),
            ("a table of 0 words", 0x10000, 0x00000100),
            ("a table of 25 words", 0x10000, 0x00000119),
            ("a table of 255 words", 0x10000, 0x000001FE),
        ):
            yield Mutation(name, word(data, at, value), "partition table .* (is missing|is damaged|has no place|says)")
    if sealed:
        # Not in the sectors that the firmware itself writes, nor behind the records of the first.
        for _ in range(24):
            at = rng.randrange(0x13000, end)
            wrong = byte(data, at, data[at] ^ 1 << rng.randrange(8))
            yield Mutation(f"code byte {at:#x}", wrong, "is not what was built|numbers|holds no NodeMCU|lacks")


def of_the_table(data: bytes) -> Iterator[Mutation]:
    """Of a build that was never started: the mark that says where its code ends, 84 bytes into the table."""
    mark = 0x10000 + 4 + 84
    for address in (0, 0x40200000, 0x40210000, 0x402F0001, 0xFFFFFFFF):
        yield Mutation(f"end {address:#x}", word(data, mark + 4, address), "says that the code ends at address")
    yield Mutation("end behind the file", word(data, mark + 4, 0x402E0000), "goes on to 0xe0000 at least")
    yield Mutation("one byte less", data[:-1], "is cut short: its code goes on to")


def of_the_banner(data: bytes) -> Iterator[Mutation]:
    """Builds that are whole and not what the bridge needs."""
    for name in ("net", "node", "tmr", "uart"):
        for wrong in (b"x" + name.encode(), name.encode()[:-1] + b"_"):
            modules = data.index(b"modules: ") + 9
            listed = data[modules : data.index(b"\n", modules)]
            fewer = b",".join(wrong[: len(name)] if each == name.encode() else each for each in listed.split(b","))
            yield Mutation(f"{wrong.decode()} for {name}", data.replace(listed, fewer), f"lacks the module {name}")
    yield Mutation(
        "modules none", data.replace(listed, b"-".ljust(len(listed))), "lacks the module net, node, tmr and uart"
    )
    yield Mutation("no list", data.replace(b"modules:", b"moodules"), "does not list its modules")
    yield Mutation("numbers", data.replace(b"build type: float", b"build type: octal"), "of the type 'octal'")
    for old in (b"0.9.5.0", b"1.5.4.1", b"2.1.0.0"):
        said = f"is NodeMCU {old.decode()}.* needs 2.2.1"
        yield Mutation(f"version {old.decode()}", data.replace(b"NodeMCU 3.0.0.0", b"NodeMCU " + old), said)


def foreign(rng: random.Random) -> Iterator[Mutation]:
    """Files that are something else."""
    for start, said in (
        (b"\x7fELF\x02\x01", "an ELF file"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"\r\n <!DOCTYPE html>", "a web page"),
        (b'{"message": "Not Found"}', "JSON"),
        (b":100000000C9434000C94", "an Intel HEX file"),
        (b"\x1bLuaQ", "compiled Lua"),
        (b"UF2\nWQ]\x9e", "a UF2 file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\xea\x04\x00\x20", "second-stage loader"),
    ):
        yield Mutation(said, start + rng.randbytes(400), f"is not an image for ESP8266: it is .*{said}")
    for value in (0x00, 0xFF):
        yield Mutation(f"blank {value}", bytes([value]) * 4096, "blank")
    yield Mutation("init data", bytes([5, 0, 4, 2]) + bytes(124), "init data")
    for number, chip in {0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 13: "ESP32-C6"}.items():
        head = b"\xe9\x06\x02\x2f" + struct.pack("<IB3xHBHH4xB", 0x40080000, 0xEE, number, 0, 0, 99, 1)
        data = head + struct.pack("<II", 0x3F400020, 64) + rng.randbytes(4000)
        yield Mutation(chip, data, f"is an image for an {chip}, not for ESP8266")
