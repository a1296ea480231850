"""Error codes of mbedTLS, and what Espressif's glue makes of them (app/mbedtls/app/espconn_mbedtls.c)."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Errors that a client can end with (app/include/mbedtls/*.h)."""

    MPI_ALLOC_FAILED = -0x0010
    NET_INVALID_CONTEXT = -0x0045
    X509_CERT_VERIFY_FAILED = -0x2700
    X509_FATAL_ERROR = -0x3000
    SSL_BAD_HS_PROTOCOL_VERSION = -0x6E80
    SSL_FEATURE_UNAVAILABLE = -0x7080
    SSL_INVALID_MAC = -0x7180
    SSL_INVALID_RECORD = -0x7200
    SSL_UNEXPECTED_MESSAGE = -0x7700
    SSL_FATAL_ALERT_MESSAGE = -0x7780
    SSL_PEER_CLOSE_NOTIFY = -0x7880
    SSL_BAD_HS_SERVER_HELLO = -0x7980
    SSL_BAD_HS_CERTIFICATE = -0x7A00
    SSL_BAD_HS_SERVER_KEY_EXCHANGE = -0x7B00
    SSL_ALLOC_FAILED = -0x7F00


class TlsFault(Exception):
    """The TLS connection cannot go on.

    Args:
        code: mbedTLS's error, or a negative number of lwIP's where mbedTLS passes one on.
        text: why, for whoever reads a trace; the board never shows it.
    """

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or f"-0x{-code:04x}")
        self.code = int(code)


def handshake_status(code: int) -> int:
    """What `mbedtls_fail_info` keeps of an error: high and low byte added up in a way, as 16 bits with sign."""
    value = -code
    value = (value >> 8) + value if value & 0xFF else value >> 8
    return _signed(-value, 16)


def event_code(status: int) -> int:
    """A status as it reaches the reconnect callback: an `sint8`, so that most codes of mbedTLS turn into nonsense."""
    return _signed(status, 8)


def _signed(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half
