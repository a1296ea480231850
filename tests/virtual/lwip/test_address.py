"""Addresses as the stack reads them."""

from __future__ import annotations

import pytest

from bridge.virtual.lwip import address


@pytest.mark.parametrize(
    ("text", "dotted"),
    [
        (b"10.77.0.1", "10.77.0.1"),
        (b"1.2", "1.0.0.2"),
        (b"1.2.3", "1.2.0.3"),
        (b"5", "0.0.0.5"),
        (b"0x7f000001", "127.0.0.1"),
        (b"0x7F.0.0.010", "127.0.0.8"),
        (b"1.2.3.4 and more", "1.2.3.4"),
        (b"1.2.3.4\0x", "1.2.3.4"),
        (b"255.255.255.255", "255.255.255.255"),
        (b"09.1.1.1", "9.1.1.1"),
    ],
)
def test_what_reads_as_an_address(text: bytes, dotted: str) -> None:
    value = address.parse(text)
    assert value is not None and address.dotted(value) == dotted


@pytest.mark.parametrize(
    "text", [b"", b"x", b"256.1.1.1", b"1.2.3.4.5", b"1.2.3.", b"1.2.3.4x", b"-1", b"4294967296", b"1.16777216", b"0xg"]
)
def test_what_does_not(text: bytes) -> None:
    assert address.parse(text) is None
    assert address.parse_or_none(text) == address.NONE


def test_kinds_of_addresses() -> None:
    assert address.is_multicast(address.from_dotted("224.0.0.5"))
    assert not address.is_multicast(address.from_dotted("10.0.0.5"))
    assert address.is_loopback(address.from_dotted("127.9.0.5"))
    with pytest.raises(ValueError, match="nowhere is not an IPv4 address"):
        address.from_dotted("nowhere")
