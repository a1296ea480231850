"""Datagrams of SOCKS5's UDP ASSOCIATE (RFC 1928, section 7). No input, no output."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.proxy.socks5 import address_length, packed, unpacked

#: Bytes in front of the address: two that are reserved, and the fragment's number.
_FRONT = 3


@dataclass(frozen=True)
class Datagram:
    """What a client wants to be sent."""

    host: str
    """Address or name."""
    udp_port: int
    """0 to 65535."""
    data: bytes


def read_datagram(data: bytes) -> Datagram | str:
    """Take the header off a client's datagram.

    Args:
        data: as it came.

    Returns:
        The datagram, or a clause that says why it is none.
    """
    if len(data) < _FRONT:
        return "it is shorter than a header"
    if data[2]:
        return "it is a fragment"
    length = address_length(data[_FRONT:])
    if length is None:
        return "its header is damaged"
    where = unpacked(data[_FRONT : _FRONT + length])
    if where is None:
        return "the name of its host can be none"
    return Datagram(*where, data[_FRONT + length :])


def written_datagram(host: str, udp_port: int, data: bytes) -> bytes:
    """A datagram for a client.

    Args:
        host: address that it comes from.
        udp_port: the port there.
        data: what came.
    """
    return bytes(_FRONT) + packed(host, udp_port) + data
