"""DNS messages: the query the board sends, what it reads from an answer, and answers for simulated servers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = 12
_A_IN = b"\0\1\0\1"
#: Longest message the board looks at (DNS_MSG_SIZE).
MAX_MESSAGE = 512
_SMALLEST = HEADER + 4 + 10


def query(identifier: int, name: bytes) -> bytes:
    """A query for the A record of a name, as `dns_send` writes it: labels are not checked, lengths wrap at 256."""
    labels = b"".join(bytes([len(label) & 0xFF]) + label for label in name.split(b"."))
    return struct.pack(">HBBHHHH", identifier, 1, 0, 1, 0, 0, 0) + labels + b"\0" + _A_IN


@dataclass(frozen=True)
class Answer:
    """What `dns_recv` reads from an answer.

    Args:
        ok: False for an error code, a message that is no response, or not exactly one question.
        same_name: the question is the one that was asked.
        address: of the first A record, or None when there is none.
        ttl: of that record in seconds.
    """

    identifier: int
    ok: bool
    same_name: bool = False
    address: int | None = None
    ttl: int = 0


def read_identifier(message: bytes) -> int | None:
    """The id of an answer, or None when it is too small or too big to be looked at."""
    if not _SMALLEST <= len(message) <= MAX_MESSAGE:
        return None
    return int.from_bytes(message[:2], "big")


def read_answer(message: bytes, name: bytes) -> Answer:
    """Read an answer to a query for `name`; anything beyond the message reads as zeros, as in C's buffer."""
    identifier, flags1, flags2, questions, answers = struct.unpack_from(">HBBHH", message)
    if not flags1 & 0x80 or flags2 & 0x0F or questions != 1:
        return Answer(identifier, ok=False)
    padded = message + bytes(MAX_MESSAGE * 2)
    if not _same_name(name, padded):
        return Answer(identifier, ok=True)
    at = _skip_name(padded, HEADER) + 4
    for _ in range(answers):
        at = _skip_name(padded, at)
        if at > MAX_MESSAGE:
            break
        kind, ttl, length = struct.unpack_from(">4sIH", padded, at)
        if kind == _A_IN and length == 4:
            return Answer(identifier, True, True, int.from_bytes(padded[at + 10 : at + 14], "big"), ttl)
        at += 10 + length
    return Answer(identifier, ok=True, same_name=True)


def _same_name(name: bytes, message: bytes) -> bool:
    """As `dns_compare_name`: label by label, a compression pointer ends the comparison."""
    at, position = HEADER, 0
    name += b"\0"
    while True:
        length = message[at]
        at += 1
        if length & 0xC0 == 0xC0:
            return True
        if name[position : position + length] != message[at : at + length]:
            return False
        at += length
        position += length + 1
        if message[at] == 0:
            return True


def _skip_name(message: bytes, at: int) -> int:
    """As `dns_parse_name`: the position after a name."""
    while at < len(message) - 1:
        length = message[at]
        at += 1
        if length & 0xC0 == 0xC0:
            break
        at += length
        if message[at : at + 1] == b"\0":
            break
    return at + 1


def asked_name(message: bytes) -> bytes | None:
    """The dotted name a query asks for, or None when it is no query."""
    labels = []
    at = HEADER
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]])
        at += message[at] + 1
    return b".".join(labels) if at < len(message) else None


def respond(message: bytes, addresses: list[int], *, code: int = 0, ttl: int = 5) -> bytes:
    """An answer to a query.

    Args:
        message: the query.
        addresses: A records, possibly none.
        code: response code: 0 no error, 2 server failure, 3 no such name.
        ttl: of the records in seconds.
    """
    end = message.index(0, HEADER) + 5
    records = b"".join(b"\xc0\x0c" + _A_IN + struct.pack(">IHI", ttl, 4, address) for address in addresses)
    header = message[:2] + bytes([0x81, 0x80 | code]) + struct.pack(">HHHH", 1, len(addresses), 0, 0)
    return header + message[HEADER:end] + records
