"""TLS records as the stock firmware's mbedTLS takes them, under tlslite-ng (app/mbedtls/library/ssl_tls.c)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

from tlslite.constants import ContentType
from tlslite.messages import RecordHeader3
from tlslite.recordlayer import RecordLayer, RecordSocket
from tlslite.utils.cipherfactory import createAESGCM
from tlslite.utils.codec import Parser

from bridge.virtual.mbedtls.cipher import Gcm
from bridge.virtual.mbedtls.fault import Code, TlsFault

#: SSL_BUFFER_SIZE of app/include/user_config.h: the most plaintext that a record may hold, either way.
MAX_CONTENT = 4096
#: What an encrypted record may be longer: the least of it (explicit IV and tag) and 256 for padding.
_EXPANSION = 24 + 256
_TYPES = (
    ContentType.change_cipher_spec,
    ContentType.alert,
    ContentType.handshake,
    ContentType.application_data,
)  # fmt: skip


class Transport(Protocol):
    """The TCP connection below (`mbedtls_net_recv`, `mbedtls_net_send`)."""

    def receive(self, length: int) -> bytes:
        """At most so many bytes of those that have arrived; b"" if there are none now."""

    def send(self, data: bytes) -> None:
        """Send them all. Raises TlsFault."""


class TransportSocket:
    """The transport as tlslite wants a socket."""

    buffer_writes = False  # set by tlslite; every record goes to TCP at once, as on the board

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        #: Bytes of the last record, header included.
        self.sent_length = 0

    def recv(self, length: int) -> bytes:
        data = self._transport.receive(length)
        if not data:
            raise BlockingIOError(11, "no bytes now")
        return data

    def send(self, data: bytearray) -> int:
        self.sent_length = len(data)
        self._transport.send(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class _Reader(RecordSocket):  # type: ignore[misc]
    """Reads records with the checks of mbedTLS's `ssl_parse_record_header`."""

    encrypted = False

    def _recvHeader(self) -> Generator[Any, None, None]:
        for result in self._sockRecvAll(5):
            if result in (0, 1):
                yield result
            else:
                break
        header = RecordHeader3().parse(Parser(result))
        if header.type not in _TYPES or header.version[0] != 3 or header.version[1] > 3:
            raise TlsFault(Code.SSL_INVALID_RECORD, "not a record of TLS 1.2")
        if header.length > MAX_CONTENT + (_EXPANSION if self.encrypted else 0) or header.length == 0:
            raise TlsFault(Code.SSL_INVALID_RECORD, f"a record of {header.length} bytes")
        yield header


class Records(RecordLayer):  # type: ignore[misc]
    """tlslite's record layer with the limits of the firmware."""

    def __init__(self, socket: TransportSocket) -> None:
        super().__init__(socket)
        self._recordSocket = _Reader(socket)
        self.recv_record_limit = MAX_CONTENT

    @staticmethod
    def _getCipherSettings(cipherSuite: int) -> Any:
        key_length, iv_length, create = RecordLayer._getCipherSettings(cipherSuite)
        return key_length, iv_length, Gcm if create is createAESGCM else create

    def changeReadState(self) -> None:
        super().changeReadState()
        self._recordSocket.encrypted = True


def check_whole(record: bytes) -> None:
    """mbedTLS puts no handshake message together from several records.

    Args:
        record: plaintext of a record of type handshake.

    Raises:
        TlsFault: a message goes on in the next record.
    """
    at = 0
    while at < len(record):
        length = int.from_bytes(record[at + 1 : at + 4], "big")
        at += 4 + length
    if at != len(record):
        raise TlsFault(Code.SSL_FEATURE_UNAVAILABLE, "TLS handshake fragmentation not supported")
