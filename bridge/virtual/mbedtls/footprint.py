"""What TLS takes on the chip: heap in bytes, and CPU time.

**Heap: measured.** The stock firmware's mbedTLS 2.16.3 was compiled from its own sources and configuration
(user_mbedtls.h, SSL_BUFFER_SIZE 4096) for a 32-bit processor and did handshakes with OpenSSL, its allocator counting
every block with the chip's overhead (8 bytes, rounded up to 8). Sizes of the glue's structures are those of its
headers. Together with what TCP and Lua take a handshake needs 20 to 28 KB, an open connection about 15 KB, which is
what docs/modules/tls.md and the reports of users say.

**CPU time: one published figure and measured ratios.** How the parts of a handshake compare was measured with the
same build. The scale is an assumption: 1.4 s at 160 MHz for ECDHE on P-256 with an RSA certificate of 2048 bits,
from a report of 1.85 s for a whole HTTPS request on NodeMCU 2.2 (nodemcu-firmware issue 2346).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: esp_tcp, espconn_msg, mbedtls_msg, mbedtls_session, lwIP_netconn.
ESP_TCP, ESPCONN_MSG, MBEDTLS_MSG, MBEDTLS_SESSION, NETCONN = 32, 104, 1200, 632, 28
#: The socket's receive buffer: its structure, and TCP_SND_BUF + 1 bytes.
RING = (16, 2921)
#: `mbedtls_ssl_setup`: both record buffers, handshake parameters, transform, session.
SSL_SETUP = (4429, 4429, 1416, 216, 124)
#: What stays of mbedTLS's heap when the connection is open, `mbedtls_msg` among it: with GCM or CCM, with CBC.
OPEN_AEAD, OPEN_CBC = 11_704, 11_368
#: The buffer through which plaintext comes, while it is read.
PLAIN_BUFFER = 1461

#: Microseconds at 80 MHz: one unit of the measurement, in which ECDHE on P-256 is 4.05 and an RSA check 0.35.
_UNIT = 2 * 1.4e6 / 4.4
_MS_ECDHE = {256: 4.05, 384: 7.0}
_MS_ECDSA = {256: 4.2, 384: 7.2}
_MS_RSA_2048, _MS_RSA_SIGN_2048, _MS_DHE_2048 = 0.35, 12.0, 52.0
#: Encrypting and authenticating records, per byte at 80 MHz: an assumption.
RECORD_US_PER_BYTE = 3.0


class Chip(Protocol):
    """Where a handshake takes from."""

    def take(self, size: int) -> None:
        """Take heap until the handshake is over. Raises TlsFault."""

    def peak(self, size: int) -> None:
        """Take heap for a moment. Raises TlsFault."""

    def compute(self, microseconds: float) -> None:
        """Compute for so long at 80 MHz."""


@dataclass(frozen=True)
class Key:
    """What a public key is: its kind and its bits."""

    rsa: bool
    bits: int

    def check_us(self) -> float:
        """Microseconds at 80 MHz that checking one signature takes."""
        if self.rsa:
            return _UNIT * _MS_RSA_2048 * float(self.bits / 2048) ** 2
        return _UNIT * _MS_ECDSA[384 if self.bits > 256 else 256]

    def check_peak(self) -> int:
        """Bytes for a moment, to check one signature."""
        return 216 + 15 * self.bits // 8 if self.rsa else 1792 if self.bits <= 256 else 2600

    def sign_us(self) -> float:
        """Microseconds at 80 MHz that a signature takes."""
        if self.rsa:
            return _UNIT * _MS_RSA_SIGN_2048 * float(self.bits / 2048) ** 3
        return _UNIT * _MS_ECDHE[384 if self.bits > 256 else 256] / 2

    def sign_keeps(self) -> int:
        """Bytes that stay until the end of the handshake once the key has signed."""
        return 2416 if self.rsa else 200

    def sign_peak(self) -> int:
        """Bytes for a moment, to sign."""
        return 19 * self.bits // 8 if self.rsa else 1792


def certificate(der: int, key: Key) -> int:
    """Bytes that a certificate takes once it is read, from its length in DER."""
    # 320 for its own structure; the first of a chain of the program's own is part of another.
    return 320 + der + 24 + (216 + key.bits // 8 if key.rsa else 272 + (48 if key.bits > 256 else 0))


def exchange(curve_bits: int, dh_bits: int, server: Key) -> tuple[int, int, float]:
    """What the key exchange takes, the check of the server's signature included.

    Args:
        curve_bits: of ECDHE; 0 for DHE.
        dh_bits: of DHE.
        server: the server's key.

    Returns:
        Bytes kept until the end of the handshake, bytes more for a moment, and microseconds at 80 MHz.
    """
    signature = 528 if server.rsa else 0
    if curve_bits:
        kept = 1968 + signature + (160 if curve_bits > 256 else 0)
        ecdhe = _MS_ECDHE[384 if curve_bits > 256 else 256]
        return kept, max(488, server.check_peak() + 632 - kept), _UNIT * ecdhe + server.check_us()
    size = dh_bits / 2048
    return int(4288 * size), int(1064 * size), _UNIT * _MS_DHE_2048 * size**3 + server.check_us()
