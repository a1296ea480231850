"""A TLS 1.2 client that behaves as the stock firmware's mbedTLS does, over a transport that never waits.

The protocol itself is tlslite-ng's, whose handshake is a generator: it stops wherever more bytes are needed. What
differs from mbedTLS as configured in app/include/user_mbedtls.h is put right here: what is offered, the limits on
records and messages, and how alerts and errors end a connection.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tlslite.constants import AlertDescription, AlertLevel, CipherSuite, ContentType, ExtensionType, GroupName
from tlslite.errors import TLSBadRecordMAC, TLSLocalAlert, TLSRemoteAlert
from tlslite.messages import Alert, ApplicationData, CertificateVerify, ClientHello
from tlslite.tlsconnection import TLSConnection
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.x509 import X509
from tlslite.x509certchain import X509CertChain

from bridge.virtual.mbedtls.certificate import Certificate, CertificateFault, check_chain, kind_of, read_chain, size_of
from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.mbedtls.footprint import RECORD_US_PER_BYTE, Chip, Key, exchange
from bridge.virtual.mbedtls.offer import max_fragment_length, offer
from bridge.virtual.mbedtls.records import MAX_CONTENT, Records, Transport, TransportSocket, check_whole

_OF_ALERT = {
    AlertDescription.protocol_version: Code.SSL_BAD_HS_PROTOCOL_VERSION,
    AlertDescription.bad_record_mac: Code.SSL_INVALID_MAC,
    AlertDescription.record_overflow: Code.SSL_INVALID_RECORD,
    AlertDescription.unexpected_message: Code.SSL_UNEXPECTED_MESSAGE,
    AlertDescription.decrypt_error: Code.SSL_BAD_HS_SERVER_KEY_EXCHANGE,
}


@dataclass(frozen=True)
class Config:
    """What a connection is made with (`mbedtls_ssl_config`).

    Args:
        trusted: the authorities that a server's certificate must come from, or None: it may be anybody's.
        chain: the client's certificates, its own first; without any, or without the key, it shows none.
        key: the client's private key, of the library cryptography, or None.
    """

    trusted: Sequence[Certificate] | None = None
    chain: Sequence[Certificate] = ()
    key: Any = None

    def own(self) -> tuple[Any, Any]:
        """Chain and key as tlslite has them, or twice None."""
        if self.key is None or not self.chain:
            return None, None
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        chain = []
        for each in self.chain:
            chain.append(X509())
            chain[-1].parseBinary(bytearray(each.public_bytes(Encoding.DER)))
        return X509CertChain(chain), parsePEMKey(pem, private=True, implementations=["python"])


class _Connection(TLSConnection):  # type: ignore[misc]
    def __init__(self, transport: Transport, config: Config, chip: Chip) -> None:
        super().__init__(transport)
        self._chip = chip
        self.own_chain, self.own_key = config.own()
        self.sock = TransportSocket(transport)
        self._recordLayer = Records(self.sock)
        self.recordSize = MAX_CONTENT
        self._trusted = config.trusted

    @property
    def records(self) -> Any:
        """The record layer, for what follows the handshake."""
        return self._recordLayer

    def _sendMsg(self, msg: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(msg, ClientHello):
            # tlslite also names the kinds of certificates that it takes.
            extensions = [each for each in msg.extensions if each.extType != ExtensionType.cert_type]
            msg.extensions = [*extensions, max_fragment_length()]
        elif isinstance(msg, CertificateVerify):
            key = key_of(self.own_key)
            self._chip.take(key.sign_keeps())
            self._chip.peak(key.sign_peak())
            self._chip.compute(key.sign_us())
        return super()._sendMsg(msg, *args, **kwargs)

    def _getNextRecordFromSocket(self) -> Generator[Any, None, None]:
        for result in super()._getNextRecordFromSocket():
            if result not in (0, 1) and result[0].type == ContentType.handshake:
                check_whole(result[1].bytes)
            yield result

    def _clientGetKeyFromChain(self, message: Any, *args: Any) -> Generator[Any, None, None]:
        chain = message.cert_chain
        try:
            read = read_chain([bytes(each.writeBytes()) for each in chain.x509List] if chain else [])
            for each in read:
                self._chip.take(size_of(each))
            if self._trusted is not None:
                for each in read:
                    self._chip.compute(kind_of(each.public_key()).check_us())
                check_chain(read, self._trusted)
        except CertificateFault as fault:
            alert = Alert().create(getattr(AlertDescription, fault.alert), AlertLevel.fatal)
            yield from (result for result in self._sendMsg(alert) if result in (0, 1))
            raise
        yield from super()._clientGetKeyFromChain(message, *args)

    def _clientKeyExchange(self, *args: Any) -> Generator[Any, None, None]:
        exchanging = args[-1]
        process = exchanging.processServerKeyExchange

        def processed(public_key: Any, message: Any) -> Any:
            kept, peak, microseconds = _exchange_of(message, key_of(public_key))
            self._chip.take(kept)
            self._chip.peak(peak)
            self._chip.compute(microseconds)
            return process(public_key, message)

        exchanging.processServerKeyExchange = processed
        yield from super()._clientKeyExchange(*args)


def key_of(key: Any) -> Key:
    """What a key of tlslite's is."""
    curve = getattr(key, "curve_name", None)
    return Key(True, len(key)) if curve is None else Key(False, 384 if "384" in curve else 256)


def _exchange_of(message: Any, server: Key) -> tuple[int, int, float]:
    if message.named_curve is not None:
        big = message.named_curve in (GroupName.secp384r1, GroupName.brainpoolP384r1)
        return exchange(384 if big else 256, 0, server)
    return exchange(0, message.dh_p.bit_length(), server)


class Client:
    """One TLS connection (`mbedtls_ssl_context`).

    Args:
        transport: the TCP connection.
        config: certificates.
        chip: told what the handshake takes.
    """

    def __init__(self, transport: Transport, config: Config, chip: Chip) -> None:
        self._chip = chip
        self._connection = _Connection(transport, config, chip)
        self._steps = self._connection.handshakeClientCert(
            certChain=self._connection.own_chain,
            privateKey=self._connection.own_key,
            settings=offer(),
            reqTack=False,
            async_=True,
        )
        #: True once the handshake is through.
        self.over = False
        self._reading: Any = None
        self._plain = b""

    @property
    def record_length(self) -> int:
        """Bytes of the last record that was sent, its header included (`out_msglen + 5`)."""
        return self._connection.sock.sent_length

    @property
    def aead(self) -> bool:
        """True if records are encrypted with GCM or CCM, False for CBC."""
        return self._connection.session.cipherSuite in CipherSuite.aeadSuites

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
        self._chip.compute(RECORD_US_PER_BYTE * len(data))
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
        self._chip.compute(RECORD_US_PER_BYTE * header.length)
        return header.type, bytes(parser.bytes)

    def _take_alert(self, data: bytes) -> None:
        if len(data) != 2:
            raise TlsFault(Code.SSL_INVALID_RECORD, f"an alert of {len(data)} bytes")
        if data[0] == AlertLevel.fatal:
            raise TlsFault(Code.SSL_FATAL_ALERT_MESSAGE, f"alert {data[1]}")
        if data == bytes([AlertLevel.warning, AlertDescription.close_notify]):
            raise TlsFault(Code.SSL_PEER_CLOSE_NOTIFY)

    def _alert(self, description: int, level: int) -> None:
        self._write(Alert().create(description, level))

    def _write(self, message: Any) -> None:
        for _ in self._connection.records.sendRecord(message):
            pass
