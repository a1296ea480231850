"""The two flash sectors in which `tls.cert` keeps certificates: the blobs of a PEM text, one behind the other.

In a stock build they are the second and third sector of the code in flash (ld/nodemcu.ld), full of zeros until
something is written. A blob is a name of 32 bytes, a length of two, and the bytes in DER (app/modules/tls.c).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.virtual.chip.flash import SECTOR_SIZE, erase_seconds, program_seconds
from bridge.virtual.chip.layout import CLIENT_CERT, SERVER_CERT
from bridge.virtual.lua.api import LuaFault
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap

_NAME_SIZE = 32
_HEAD = _NAME_SIZE + 2
_NO_BLOB = 0xFFFF
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SPACES = b" \t\n\v\f\r"

__all__ = ["CLIENT_CERT", "SERVER_CERT", "find_blob", "is_written", "store"]


def is_written(kernel: Kernel, sector: int) -> bool:
    """True if there seems to be a certificate at this address in flash."""
    return kernel.flash.read(sector, 1)[0] not in (0x00, 0xFF)


def find_blob(kernel: Kernel, sector: int, name: bytes | None) -> bytes | None:
    """The first blob of a name (None takes any), or None (`mbedtls_msg_info_load`)."""
    at = 0
    while True:
        if _HEAD + at > 2 * SECTOR_SIZE:  # what ESPCONN_SECURE_MAX_SIZE lets it read
            return None
        head = kernel.flash.read(sector + at, _HEAD)
        length = int.from_bytes(head[_NAME_SIZE:], "little")
        if length == _NO_BLOB:
            return None
        at += _HEAD
        if name is None or head.startswith(name):
            return kernel.flash.read(sector + at, length)
        at += length


def store(kernel: Kernel, sector: int, texts: Sequence[bytes | None], kinds: Sequence[tuple[bytes, bytes]]) -> None:
    """Put PEM texts into a sector, unless it holds just them (`fill_page_with_pem`).

    Args:
        kernel: the boot.
        sector: address in flash.
        texts: what Lua gave; more than there are kinds are not looked at.
        kinds: for each text its PEM type and the name of its blob.

    Raises:
        LuaFault: with the text that C raises.
    """
    try:
        taken = kernel.heap.claim(SECTOR_SIZE)
    except OutOfHeap:
        raise LuaFault("not enough memory", position=False) from None
    try:
        page = b""
        for text, (kind, name) in zip(texts, kinds, strict=False):
            page += _blob(text, kind, name, SECTOR_SIZE - len(page))
        page = page.ljust(SECTOR_SIZE, b"\xff")
        if kernel.flash.read(sector, SECTOR_SIZE) != page:
            kernel.flash.erase(sector, SECTOR_SIZE)
            kernel.flash.program(sector, page)
            kernel.cpu.feed()
            kernel.cpu.busy((erase_seconds(SECTOR_SIZE) + program_seconds(SECTOR_SIZE)) * kernel.flash.factor)
    finally:
        kernel.heap.release(taken)


def _blob(text: bytes | None, kind: bytes, name: bytes, room: int) -> bytes:
    """As `append_pem_blob`."""
    if text is None:
        raise LuaFault("No PEM blob")
    text = text.split(b"\0", 1)[0]
    begin = text.find(b"-----BEGIN ")
    if begin < 0:
        raise LuaFault("No PEM header")
    if not text.startswith(kind, begin + 11):
        raise LuaFault("Wrong PEM type")
    at = text.find(b"\n", begin)
    if at < 0:
        raise LuaFault("Incorrect PEM format")
    data, at = _decode(text, at, room - _HEAD)
    if data is None or not text.startswith(b"-----END " + kind, at):
        raise LuaFault("Invalid PEM format data")
    return name.ljust(_NAME_SIZE, b"\0") + len(data).to_bytes(2, "little") + data


def _decode(text: bytes, at: int, room: int) -> tuple[bytes | None, int]:
    """Base64 from a place up to the next dash: the bytes, None if they are no whole ones or too many, and the place."""
    data, bits, accumulator = bytearray(), 0, 0
    while at < len(text) and len(data) < room:
        value = _BASE64.find(text[at : at + 1])
        if value >= 0:
            bits += 6
            accumulator = (accumulator << 6 | value) & 0xFFFFFF
            if bits >= 8:
                bits -= 8
                data.append(accumulator >> bits & 0xFF)
        elif text[at : at + 1] == b"=":
            bits = 0
        elif text[at : at + 1] == b"-":
            break
        elif text[at] not in _SPACES:
            raise LuaFault("Invalid character in PEM")
        at += 1
    return (bytes(data) if bits == 0 and len(data) < room else None), at
