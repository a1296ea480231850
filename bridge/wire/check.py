"""The check of a frame: 24 bits over its header and payload, seeded by epoch and direction.

Two kinds, of which the firmware can compute at least one fast enough. Both map a different seed to a different
check for the same bytes, always: a frame of another epoch, or one of ours that an echoing prompt sends back, can
never pass.
"""

from __future__ import annotations

import sys
from array import array
from enum import Enum
from functools import cache

#: Seeds of the two directions differ by this, whatever the epoch.
DIRECTION_MASK = 0x5A5A

_POLYNOMIAL = 0xA001  # CRC-16/ARC reflected, as `onewire_crc16` in app/driver/onewire.c
_PRIME = 16_777_213  # the largest below 2**24
_FACTOR = 127  # the largest with FACTOR * PRIME + 255 < 2**31: exact in each build's numbers


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ _POLYNOMIAL if value & 1 else value >> 1
        rows.append(value)
    return tuple(rows)


_TABLE = _table()


class CheckKind(Enum):
    """Which check the two sides use; chosen at bootstrap by what the firmware has."""

    CRC = "crc"
    """`ow.crc16` over the bytes, and the low byte of `ow.crc16` over the bytes reversed. The second run is no
    function of the first: one CRC with two seeds would detect no more than with one, and `ow.crc8` shares the
    factor x + 1 with the CRC-16."""
    SUM = "sum"
    """A polynomial modulo a prime below 2**24, for firmware without `ow`: three VM instructions a byte."""


@cache
def _pairs() -> tuple[int, ...]:
    """What each register becomes by sixteen bits: two bytes at a time take half as long as one by one."""
    halves = [_TABLE[value & 0xFF] ^ (value >> 8) for value in range(0x10000)]
    return tuple(_TABLE[half & 0xFF] ^ (half >> 8) for half in halves)


def crc16(data: bytes, seed: int = 0) -> int:
    """As `ow.crc16(data, seed)`: CRC-16/ARC, "123456789" → 0xBB3D."""
    pairs = _pairs()
    words = array("H", data[:-1] if len(data) % 2 else data)
    if sys.byteorder == "big":
        words.byteswap()
    for word in words:
        seed = pairs[seed ^ word]
    return (seed >> 8) ^ _TABLE[(seed ^ data[-1]) & 0xFF] if len(data) % 2 else seed


def hash24(data: bytes, seed: int = 0) -> int:
    """The polynomial of the bytes modulo 16777213; the agent and the bootstrap compute it in plain Lua."""
    for byte in data:
        seed = (seed * _FACTOR + byte) % _PRIME
    return seed


def check(kind: CheckKind, data: bytes, seed: int) -> bytes:
    """The three bytes that close a frame.

    Args:
        kind: which check.
        data: header and payload.
        seed: 0 to 65535: the epoch, with `DIRECTION_MASK` xored in for frames to the host.
    """
    if kind is CheckKind.CRC:
        return crc16(data, seed).to_bytes(2, "big") + bytes((crc16(data[::-1], seed) & 0xFF,))
    return hash24(data, seed + 1).to_bytes(3, "big")
