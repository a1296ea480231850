"""Arguments of mirrored calls: what the board would misread, or could not be sent, is refused here.

All else is sent as it is: the board then says what is wrong in its own words.
"""

from __future__ import annotations

from bridge.errors import UsageError
from bridge.wire.messages import MAX_CHUNK
from bridge.wire.values import Value

Data = bytes | bytearray | memoryview | str

#: Names of more bytes are refused here; up to there the board does that ("illegal argument", from 256 on).
MAX_NAME = 1_000
#: Whole numbers beyond this are cut by the board.
_MAX_INTEGER = 2**31 - 1


def as_bytes(data: Value) -> Value:
    """Payload as bytes; str is sent as UTF-8. Numbers the board sends as text; what is no data at all it refuses.

    Raises:
        UsageError: a str that has no form in UTF-8.
    """
    if isinstance(data, str):
        return _utf8(data, "The data")
    return bytes(data) if isinstance(data, bytearray | memoryview) else data


def as_datagram(data: Value) -> Value:
    """The same for a datagram, which cannot be cut.

    Raises:
        UsageError: it is more than a message to the board holds, or a str that has no form in UTF-8.
    """
    payload = as_bytes(data)
    if isinstance(payload, bytes) and len(payload) > MAX_CHUNK:
        raise UsageError(
            f"A datagram of {len(payload)} bytes is too long", remedy="Send at most 1 472 bytes: Wi-Fi takes no more."
        )
    return payload


def as_port(port: Value) -> Value:
    """A port: 0 to 65 535. Text of digits is a number, as in Lua. What is no number at all the board refuses.

    Raises:
        UsageError: a number that is no port. (The stock module keeps its last 16 bits: 65 616 would be port 80.)
    """
    if isinstance(port, str) and port.isascii() and port.isdigit():
        port = int(port)
    if isinstance(port, float) and port.is_integer():
        port = int(port)
    if isinstance(port, float) or (isinstance(port, int) and not 0 <= port <= 0xFFFF):
        raise UsageError(f"{port} is no port", remedy="Use a whole number from 1 to 65535.")
    return port


def as_name(name: Value, what: str = "The name") -> Value:
    """A host's name or an address. What is no text at all the board refuses.

    Raises:
        UsageError: text that the board's C functions would read otherwise (NUL ends it), or that cannot be sent.
    """
    data = _utf8(name, what) if isinstance(name, str) else name
    if not isinstance(data, bytes):
        return name
    if b"\0" in data:
        raise UsageError(f"{what} holds a NUL character", remedy="Leave it out.")
    if len(data) > MAX_NAME:
        raise UsageError(f"{what} is {len(data)} bytes long", remedy="No host's name has more than 255.")
    return name


def as_integer(value: Value, what: str, least: int = -_MAX_INTEGER, most: int = _MAX_INTEGER) -> Value:
    """A whole number that the board takes as it is. What is no number at all the board refuses.

    Raises:
        UsageError: a number out of range, or none that is whole.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float) or (isinstance(value, int) and not least <= value <= most):
        raise UsageError(f"{value} is no {what}", remedy=f"Use a whole number from {least} to {most}.")
    return value


def as_text(value: Value) -> Value:
    """An address or name from the board as str; None and numbers as they are."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def as_address(values: tuple[Value, ...]) -> tuple[int | None, str | None]:
    """(port, ip) or (None, None), as `getpeer` and `getaddr` return them."""
    port, ip = (*values, None, None)[:2]
    return port, as_text(ip)


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} holds a character that is none", remedy="Pass bytes.") from None
