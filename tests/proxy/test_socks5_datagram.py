"""Datagrams with the header of SOCKS5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.proxy.socks5_datagram import Datagram, read_datagram, written_datagram


@given(st.ip_addresses(v=4), st.integers(0, 65_535), st.binary(max_size=1500))
def test_what_is_written_is_read(host: object, port: int, data: bytes) -> None:
    assert read_datagram(written_datagram(str(host), port, data)) == Datagram(str(host), port, data)


def test_a_name() -> None:
    assert read_datagram(b"\0\0\0\x03\x07ntp.org\x00\x7bask") == Datagram("ntp.org", 123, b"ask")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is shorter than a header"),
        (b"\0\0", "it is shorter than a header"),
        (b"\0\0\0", "its header is damaged"),
        (b"\0\0\x01\x01\x0a\x00\x00\x07\x00\x50data", "it is a fragment"),
        (b"\0\0\x80\x01\x0a\x00\x00\x07\x00\x50data", "it is a fragment"),
        (b"\0\0\0\x01\x0a\x00\x00\x07\x00", "its header is damaged"),
        (b"\0\0\0\x02\x0a\x00\x00\x07\x00\x50", "its header is damaged"),
        (b"\0\0\0\x03\x09short\x00\x50", "its header is damaged"),
        (b"\0\0\0\x03\x00\x00\x50data", "the name of its host can be none"),
        (b"\0\0\0\x03\x01 \x00\x50data", "the name of its host can be none"),
    ],
)
def test_what_is_none(data: bytes, why: str) -> None:
    assert read_datagram(data) == why


@given(st.binary(max_size=300))
def test_nonsense_is_told_from_datagrams(data: bytes) -> None:
    result = read_datagram(data)
    if isinstance(result, Datagram):
        assert data[2] == 0 and data.endswith(result.data)
