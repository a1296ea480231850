"""IPv4 addresses as the stack reads and writes them (app/lwip/core/ipv4/ip_addr.c).

An address is an int, most significant byte first: 10.0.0.1 is 0x0A000001.
"""

from __future__ import annotations

ANY = 0
#: Broadcast; as an answer of `parse_or_none` also "not an address" (`IPADDR_NONE`).
NONE = 0xFFFFFFFF

_SPACE = b" \t\n\v\f\r"
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"


def parse(text: bytes) -> int | None:
    """Read an address as `ipaddr_aton` does: 1 to 4 parts, decimal, octal (0…) or hex (0x…), spaces may follow.

    Args:
        text: the text, up to its first NUL.

    Returns:
        The address, or None when it does not read as one.
    """
    text = text.split(b"\0", 1)[0] + b"\0"
    parts: list[int] = []
    at = 0
    while True:
        number = _number(text, at)
        if number is None:
            return None
        value, at = number
        parts.append(value)
        if text[at : at + 1] != b".":
            break
        if len(parts) > 3:
            return None
        at += 1
    end = text[at : at + 1]
    if end != b"\0" and end not in _SPACE:
        return None
    return _join(parts)


def _number(text: bytes, at: int) -> tuple[int, int] | None:
    if text[at : at + 1] not in _DIGITS:
        return None
    base, digits = 10, _DIGITS
    if text[at : at + 1] == b"0":
        at += 1
        base = 8
        if text[at : at + 1] in (b"x", b"X"):
            at += 1
            base, digits = 16, _HEX
    value = 0
    while (char := text[at : at + 1]) in digits and char:
        # In C an octal number may hold the digits 8 and 9; each just counts its value.
        value = value * base + int(char, 16)
        if value > NONE:
            return None
        at += 1
    return value, at


def _join(parts: list[int]) -> int | None:
    """Put parts together; the last one takes all the bytes that are left."""
    *head, last = parts
    if any(part > 0xFF for part in head) or last >= 1 << (8 * (4 - len(head))):
        return None
    value = last
    for position, part in enumerate(head):
        value |= part << (24 - 8 * position)
    return value


def parse_or_none(text: bytes) -> int:
    """Read an address as `ipaddr_addr` does: `NONE` (which 255.255.255.255 is too) when it is not one."""
    value = parse(text)
    return NONE if value is None else value


def dotted(address: int) -> str:
    """The address as four decimal numbers."""
    return ".".join(str(address >> shift & 0xFF) for shift in (24, 16, 8, 0))


def from_dotted(text: str) -> int:
    """The address of a plain dotted text.

    Raises:
        ValueError: it is not one.
    """
    value = parse(text.encode("latin-1"))
    if value is None:
        raise ValueError(f"{text} is not an IPv4 address")
    return value


def is_multicast(address: int) -> bool:
    """True for 224.0.0.0/4."""
    return address >> 28 == 0xE


def is_loopback(address: int) -> bool:
    """True for 127.0.0.0/8."""
    return address >> 24 == 127
