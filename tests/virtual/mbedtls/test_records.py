from __future__ import annotations

import pytest

from bridge.virtual.mbedtls.client import Client, Config
from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.mbedtls.records import MAX_CONTENT, check_whole
from tests.virtual.mbedtls.pair import Ends


def fault_of(data: bytes) -> int:
    """The error at these bytes in answer to a ClientHello."""
    ends = Ends()
    client = Client(ends, Config(), ends)
    assert not client.handshake()
    ends.to_client += data
    with pytest.raises(TlsFault) as fault:
        client.handshake()
    return fault.value.code


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400",
        b"\x16\x02\x00\x00\x10",
        b"\x16\x03\x04\x00\x10",
        b"\x16\x03\x03\x00\x00",
        b"\x18\x03\x03\x00\x10",
        b"\x16\x03\x03" + (MAX_CONTENT + 1).to_bytes(2, "big"),
    ],
)
def test_headers_that_are_refused_at_once(data: bytes) -> None:
    assert fault_of(data) == Code.SSL_INVALID_RECORD


def test_a_fatal_alert_and_a_farewell() -> None:
    assert fault_of(b"\x15\x03\x03\x00\x02\x02\x28") == Code.SSL_FATAL_ALERT_MESSAGE
    assert fault_of(b"\x15\x03\x03\x00\x02\x01\x00") == Code.SSL_PEER_CLOSE_NOTIFY


def test_nonsense_in_a_message() -> None:
    assert fault_of(b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03") < -0x6000
    assert fault_of(b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00") < -0x6000


def test_messages_must_be_whole() -> None:
    check_whole(b"\x02\0\0\x02ab\x0e\0\0\0")
    for cut in (b"\x02\0\0\x03ab", b"\x02\0\0\x02ab\x0e\0\0", b"\x02"):
        with pytest.raises(TlsFault) as fault:
            check_whole(cut)
        assert fault.value.code == Code.SSL_FEATURE_UNAVAILABLE
