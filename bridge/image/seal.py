"""The seal of an image for virtual boards: digests of its code, by which a changed byte is found.

Stock builds have nothing of the kind: a changed byte in their code is found by nobody until it runs.
"""

from __future__ import annotations

import hashlib
import struct

_SECTOR = 4096
_MARK = b"nodemcu-bridge seal 2\0\0\0"
_HEADER = struct.Struct("<24sII")
_DIGEST = 4


def broken_sector(loaded: bytes, code: bytes) -> int | None:
    """The first sector of the code that is not as it was built, or None if all are, or if there is no seal.

    Args:
        loaded: what the ROM puts into RAM; holds the seal.
        code: what belongs at 0x10000.

    Returns:
        The number of a sector of 4096 bytes, from 0.
    """
    at = loaded.find(_MARK)
    if at < 0 or at + _HEADER.size > len(loaded):
        return None
    _, count, head = _HEADER.unpack_from(loaded, at)
    at += _HEADER.size
    for number in range(count):
        wanted = loaded[at + _DIGEST * number : at + _DIGEST * (number + 1)]
        if len(wanted) < _DIGEST:
            return None
        data = code[number * _SECTOR : (number + 1) * _SECTOR]
        # The firmware writes into the first sector behind its head, and into those that have no digest.
        if number == 0:
            if data[1:2] == b"\0":
                continue
            data = data[:head]
        elif wanted == bytes(_DIGEST):
            continue
        if hashlib.sha256(data).digest()[:_DIGEST] != wanted:
            return number
    return None
