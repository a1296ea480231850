"""The check of a frame: 24 bits over its header and payload, seeded by epoch and direction.

Two kinds, of which the firmware can compute at least one fast enough. Both map a different seed to a different
check for the same bytes, always: a frame of another epoch, or one of ours that an echoing prompt sends back, can
never pass.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

#: Seeds of the two directions differ by this, whatever the epoch.
DIRECTION_MASK = 0x5A5A

_TRINOMIAL = 0xC001  # x**15 + x + 1, the highest power in bit 0
_DEGREE = 15
_SCALES = tuple(1 << k for k in range(16))
_PRIME = 16_777_213  # the largest below 2**24
_FACTOR = 127  # the largest with FACTOR * PRIME + 255 < 2**31: exact in each build's numbers
#: What bytes of a frame are multiplied with, in turns; as large as exact numbers allow.
_WEIGHTS = (25717, 60493)


class CheckKind(Enum):
    """Which check the two sides use; chosen at bootstrap by what the firmware has."""

    CRC = "crc"
    """`ow.crc16` over the bytes, and the low byte of `ow.crc16` over the bytes reversed. The second run is no
    function of the first: one CRC with two seeds would detect no more than with one, and `ow.crc8` shares the
    factor x + 1 with the CRC-16."""
    SUM = "sum"
    """A polynomial modulo a prime below 2**24 with weighted bytes, for firmware without `ow`: four VM instructions a
    byte. Without weights one flipped bit in the last byte and one in the check made up for each other, and so did three
    in two bytes side by side: a thousand times as many frames of a bad line got through wrong as 24 bits should let."""


@cache
def _folds(bits: int) -> tuple[tuple[int, int, int, int], ...]:
    """How to shorten a polynomial of so many bits to 15: for each fold bits to take, their mask, two distances."""
    folds = []
    while bits > _DEGREE:
        taken, scale = max((min(14 * s, bits - 15 * s), s) for s in _SCALES if 15 * s < bits)
        folds.append((taken, (1 << taken) - 1, 14 * scale - taken, 15 * scale - taken))
        bits -= taken
    return tuple(folds)


def crc16(data: bytes, seed: int = 0) -> int:
    """As `ow.crc16(data, seed)`: CRC-16/ARC, "123456789" → 0xBB3D.

    The generator x¹⁶ + x¹⁵ + x² + 1 is (x + 1)(x¹⁵ + x + 1). So the remainder by the second factor tells all but one
    bit, and the number of ones tells that. And x¹⁵ˢ ≡ xˢ + 1 by that factor, for each power of two s: the front of the
    message folds onto its rest by two shifts of a large integer, many bytes at a time. Byte by byte takes three times
    as long, and this is most of what a frame costs the host.

    Args:
        data: bytes of any length.
        seed: the register to start from, 0 to 65535.
    """
    # As the UART sends it: bit 0 is the highest power. Sixteen zeros follow the message.
    rest = int.from_bytes(data, "little") ^ seed
    ones = rest.bit_count()
    for taken, mask, near, far in _folds(8 * len(data) + 16):
        front = rest & mask
        rest = (rest >> taken) ^ (front << near) ^ (front << far)
    rest <<= 1
    return rest ^ _TRINOMIAL if (ones ^ rest.bit_count()) & 1 else rest


def hash24(data: bytes, seed: int = 0) -> int:
    """The polynomial of the bytes modulo 16777213; the bootstrap computes it in plain Lua.

    Its value travels twice, there and back, and both must be right: that makes up for what `sum24` is there for.
    """
    for byte in data:
        seed = (seed * _FACTOR + byte) % _PRIME
    return seed


def sum24(data: bytes, seed: int = 0) -> int:
    """The polynomial modulo 16777213 of the bytes, weighted in turns; the agent computes it in plain Lua."""
    for place, byte in enumerate(data):
        seed = (seed * _FACTOR + byte * _WEIGHTS[place & 1]) % _PRIME
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
    return sum24(data, seed + 1).to_bytes(3, "big")
