"""A TLS 1.2 client that behaves as the stock firmware's mbedTLS does, over a transport that never waits.

The protocol itself is tlslite-ng's, whose handshake is a generator: it stops wherever more bytes are needed. What
differs from mbedTLS as configured in app/include/user_mbedtls.h is put right here: what is offered, the limits on
records and messages, and how alerts and errors end a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tlslite.constants import AlertDescription, AlertLevel, ContentType
from tlslite.errors import TLSBadRecordMAC, TLSLocalAlert, TLSRemoteAlert
from tlslite.extensions import TLSExtension
from tlslite.handshakesettings import HandshakeSettings
from tlslite.messages import Alert, ApplicationData, ClientHello, RecordHeader3
from tlslite.recordlayer import RecordLayer, RecordSocket
from tlslite.tlsconnection import TLSConnection
from tlslite.utils.codec import Parser

from bridge.virtual.mbedtls.fault import Code, TlsFault

#: SSL_BUFFER_SIZE of app/include/user_config.h: the most plaintext that a record may hold, either way.
MAX_CONTENT = 4096
#: MBEDTLS_SSL_MAX_FRAG_LEN_4096 (RFC 6066, extension 1).
_MAX_FRAGMENT_LENGTH, _CODE_4096 = 1, 4
#: What a record may be longer than its plaintext (`ssl_parse_record_header`); MAC, IV and padding.
_EXPANSION = 256 + 16
_RECORD_TYPES = (
    ContentType.change_cipher_spec,
    ContentType.alert,
    ContentType.handshake,
    ContentType.application_data,
)  # fmt: skip
_OF_ALERT = {
    AlertDescription.protocol_version: Code.SSL_BAD_HS_PROTOCOL_VERSION,
    AlertDescription.bad_record_mac: Code.SSL_INVALID_MAC,
    AlertDescription.record_overflow: Code.SSL_INVALID_RECORD,
    AlertDescription.unexpected_message: Code.SSL_UNEXPECTED_MESSAGE,
    AlertDescription.decrypt_error: Code.SSL_BAD_HS_SERVER_KEY_EXCHANGE,
}


class Transport(Protocol):
    """The TCP connection below (`mbedtls_net_recv`, `mbedtls_net_send`)."""

    def receive(self, length: int) -> bytes:
        """At most so many bytes of those that have arrived; b"" if there are none now."""

    def send(self, data: bytes) -> None:
        """Send them all. Raises TlsFault."""


@dataclass(frozen=True)
class Config:
    """What a connection is made with (`mbedtls_ssl_config`).

    Args:
        verify: called with the server's certificates in DER, its own first; raises TlsFault if it trusts none of
            them. None does not verify.
        chain: the client's certificates, tlslite's X509CertChain, or None.
        key: the client's private key, tlslite's, or None.
    """

    verify: Callable[[Sequence[bytes]], None] | None = None
    chain: Any = None
    key: Any = None


def offer() -> HandshakeSettings:
    """What the stock firmware offers, as far as tlslite has it: everything but Camellia."""
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 3)
    settings.versions = [(3, 3)]
    settings.keyExchangeNames = ["ecdhe_ecdsa", "ecdhe_rsa", "dhe_rsa"]
    settings.cipherNames = ["aes256gcm", "aes256ccm", "aes256", "aes128gcm", "aes128ccm", "aes128"]
    settings.cipherNames += ["aes256ccm_8", "aes128ccm_8"]
    settings.macNames = ["sha", "sha256", "sha384", "aead"]
    settings.eccCurves = ["secp384r1", "brainpoolP384r1", "secp256r1", "secp256k1", "brainpoolP256r1"]
    settings.defaultCurve = "secp256r1"
    settings.keyShares = []
    settings.dhGroups = []
    settings.ec_point_formats = [0]
    settings.rsaSigHashes = settings.ecdsaSigHashes = ["sha512", "sha384", "sha256", "sha224"]
    settings.dsaSigHashes = []
    settings.rsaSchemes = ["pkcs1"]
    settings.more_sig_schemes = []
    settings.minKeySize, settings.maxKeySize = 1023, 4096
    settings.record_size_limit = None
    settings.use_heartbeat_extension = False
    return settings


class _Socket:
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


class _RecordSocket(RecordSocket):  # type: ignore[misc]
    """Reads records with the checks of mbedTLS's `ssl_parse_record_header`."""

    encrypted = False

    def _recvHeader(self) -> Generator[Any, None, None]:
        for result in self._sockRecvAll(5):
            if result in (0, 1):
                yield result
            else:
                break
        header = RecordHeader3().parse(Parser(result))
        if header.type not in _RECORD_TYPES or header.version[0] != 3 or header.version[1] > 3:
            raise TlsFault(Code.SSL_INVALID_RECORD, "not a record of TLS 1.2")
        if header.length > MAX_CONTENT + (_EXPANSION if self.encrypted else 0) or header.length == 0:
            raise TlsFault(Code.SSL_INVALID_RECORD, f"a record of {header.length} bytes")
        yield header


class _RecordLayer(RecordLayer):  # type: ignore[misc]
    def __init__(self, socket: _Socket) -> None:
        super().__init__(socket)
        self._recordSocket = _RecordSocket(socket)
        self.recv_record_limit = MAX_CONTENT

    def changeReadState(self) -> None:
        super().changeReadState()
        self._recordSocket.encrypted = True


class _Connection(TLSConnection):  # type: ignore[misc]
    def __init__(self, transport: Transport, config: Config) -> None:
        super().__init__(transport)
        self.sock = _Socket(transport)
        self._recordLayer = _RecordLayer(self.sock)
        self.recordSize = MAX_CONTENT
        self._verify = config.verify

    @property
    def records(self) -> Any:
        """The record layer, for what follows the handshake."""
        return self._recordLayer

    def _sendMsg(self, msg: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(msg, ClientHello):
            fragment = TLSExtension(extType=_MAX_FRAGMENT_LENGTH).create(bytearray([_CODE_4096]))
            msg.extensions.append(fragment)
        return super()._sendMsg(msg, *args, **kwargs)

    def _getNextRecordFromSocket(self) -> Generator[Any, None, None]:
        for result in super()._getNextRecordFromSocket():
            if result not in (0, 1) and result[0].type == ContentType.handshake:
                _check_whole(result[1].bytes)
            yield result

    def _clientGetKeyFromChain(self, certificate: Any, *args: Any) -> Generator[Any, None, None]:
        if self._verify is not None:
            chain = certificate.cert_chain
            try:
                self._verify([bytes(each.writeBytes()) for each in chain.x509List] if chain else [])
            except TlsFault:
                alert = Alert().create(AlertDescription.unknown_ca, AlertLevel.fatal)
                yield from (result for result in self._sendMsg(alert) if result in (0, 1))
                raise
        yield from super()._clientGetKeyFromChain(certificate, *args)


def _check_whole(record: bytes) -> None:
    """mbedTLS puts no handshake message together from several records, except what is encrypted."""
    at = 0
    while at < len(record):
        length = int.from_bytes(record[at + 1 : at + 4], "big")
        at += 4 + length
    if at != len(record):
        raise TlsFault(Code.SSL_FEATURE_UNAVAILABLE, "TLS handshake fragmentation not supported")


class Client:
    """One TLS connection (`mbedtls_ssl_context`).

    Args:
        transport: the TCP connection.
        config: certificates.
    """

    def __init__(self, transport: Transport, config: Config) -> None:
        self._connection = _Connection(transport, config)
        self._steps = self._connection.handshakeClientCert(
            certChain=config.chain, privateKey=config.key, settings=offer(), reqTack=False, async_=True
        )
        #: True once the handshake is through.
        self.over = False
        self._reading: Any = None
        self._plain = b""

    @property
    def record_length(self) -> int:
        """Bytes of the last record that was sent, its header included (`out_msglen + 5`)."""
        return self._connection.sock.sent_length

    def handshake(self) -> bool:
        """Go on with the handshake as far as the bytes that are there allow.

        Returns:
            True when it is through.

        Raises:
            TlsFault: it failed.
        """
        try:
            for waits in self._steps:
                if waits == 0:
                    return False
        except TlsFault:
            raise
        except TLSRemoteAlert as alert:
            closing = alert.description == AlertDescription.close_notify
            code = Code.SSL_PEER_CLOSE_NOTIFY if closing else Code.SSL_FATAL_ALERT_MESSAGE
            raise TlsFault(code, str(alert)) from alert
        except TLSLocalAlert as alert:
            raise TlsFault(_OF_ALERT.get(alert.description, Code.SSL_BAD_HS_SERVER_HELLO), str(alert)) from alert
        except Exception as error:  # whatever else tlslite raises at a peer's nonsense
            raise TlsFault(Code.SSL_BAD_HS_SERVER_HELLO, repr(error)) from error
        self.over = True
        return True

    def read(self, length: int) -> bytes | None:
        """At most so many bytes of plaintext, of one record (`mbedtls_ssl_read`).

        Returns:
            None when no whole record is there.

        Raises:
            TlsFault: the connection is over; PEER_CLOSE_NOTIFY after the peer's farewell.
        """
        while not self._plain:
            record = self._next_record()
            if record is None:
                return None
            kind, data = record
            if kind == ContentType.application_data:
                self._plain = data
            elif kind == ContentType.alert:
                self._take_alert(data)
            elif kind == ContentType.handshake and data[:4] == b"\0\0\0\0":
                self._alert(AlertDescription.no_renegotiation, AlertLevel.warning)
                return None
            else:
                raise TlsFault(Code.SSL_UNEXPECTED_MESSAGE, f"a record of type {kind}")
        plain, self._plain = self._plain[:length], self._plain[length:]
        return plain

    def write(self, data: bytes) -> None:
        """Send one record of plaintext (`mbedtls_ssl_write`).

        Raises:
            TlsFault: TCP did not take it.
        """
        self._write(ApplicationData().create(bytearray(data)))

    def close_notify(self) -> None:
        """Say goodbye (`mbedtls_ssl_close_notify`); whether it gets through nobody asks."""
        if self.over:
            try:
                self._alert(AlertDescription.close_notify, AlertLevel.warning)
            except TlsFault:
                pass

    def _next_record(self) -> tuple[int, bytes] | None:
        if self._reading is None:
            self._reading = self._connection.records.recvRecord()
        try:
            result = next(self._reading)
        except TLSBadRecordMAC as error:
            self._reading = None
            self._alert(AlertDescription.bad_record_mac, AlertLevel.fatal)
            raise TlsFault(Code.SSL_INVALID_MAC) from error
        except TlsFault:
            self._reading = None
            raise
        except Exception as error:
            self._reading = None
            raise TlsFault(Code.SSL_INVALID_RECORD, repr(error)) from error
        if result in (0, 1):
            return None
        self._reading = None
        header, parser = result
        return header.type, bytes(parser.bytes)

    def _take_alert(self, data: bytes) -> None:
        if len(data) == 2 and data[0] == AlertLevel.fatal:
            raise TlsFault(Code.SSL_FATAL_ALERT_MESSAGE, f"alert {data[1]}")
        if data == bytes([AlertLevel.warning, AlertDescription.close_notify]):
            raise TlsFault(Code.SSL_PEER_CLOSE_NOTIFY)

    def _alert(self, description: int, level: int) -> None:
        self._write(Alert().create(description, level))

    def _write(self, message: Any) -> None:
        for _ in self._connection.records.sendRecord(message):
            pass
