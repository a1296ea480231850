"""The board's TLS client, without a board."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.virtual.mbedtls.certificate import read_certificates
from bridge.virtual.mbedtls.client import Client, Config
from bridge.virtual.mbedtls.fault import Code, TlsFault
from tests.virtual.mbedtls.pair import Ends, joined, shake_hands
from tests.virtual.modules.tls_bench import Identity, identity, issue, server_context

CONTEXT = server_context(identity())


def test_what_is_written_is_read() -> None:
    client, server, _ = joined(CONTEXT)
    shake_hands(client, server)
    assert client.read(1460) is None
    client.write(b"question")
    server.step()
    assert server.object.read() == b"question"
    server.object.write(b"a" * 5000)
    server.flush()
    pieces = []
    while piece := client.read(1460):
        pieces.append(len(piece))
    # OpenSSL honours the fragment length: a record of 4096 bytes and one of the rest.
    assert pieces == [1460, 1460, 1176, 904]


def test_a_record_that_comes_byte_by_byte() -> None:
    client, server, ends = joined(CONTEXT)
    shake_hands(client, server)
    server.object.write(b"slowly")
    server.flush()
    record, ends.to_client[:] = bytes(ends.to_client), b""
    got = []
    for byte in record:
        ends.to_client.append(byte)
        got.append(client.read(100))
    assert got == [None] * (len(record) - 1) + [b"slowly"]


def test_the_peers_farewell_and_alerts() -> None:
    client, server, _ = joined(CONTEXT)
    shake_hands(client, server)
    with pytest.raises(ssl.SSLWantReadError):
        server.object.unwrap()
    server.flush()
    with pytest.raises(TlsFault) as closed:
        client.read(10)
    assert closed.value.code == Code.SSL_PEER_CLOSE_NOTIFY
    client.close_notify()
    server._in.write(bytes(server._ends.to_server))
    server.object.unwrap()
    # After the farewell nothing is there, and that is no error.
    assert client.read(10) is None


def test_a_changed_byte_is_found() -> None:
    client, server, ends = joined(CONTEXT)
    shake_hands(client, server)
    server.object.write(b"text")
    server.flush()
    ends.to_client[-1] ^= 1
    with pytest.raises(TlsFault) as wrong:
        client.read(10)
    assert wrong.value.code == Code.SSL_INVALID_MAC


def test_a_large_chain_does_not_fit_into_a_record() -> None:
    client, server, _ = joined(server_context(issue("large", padding=3500)))
    shake_hands(client, server)
    client, server, _ = joined(server_context(issue("too large", padding=4000)))
    with pytest.raises(TlsFault) as fault:
        shake_hands(client, server)
    assert fault.value.code == Code.SSL_FEATURE_UNAVAILABLE


class Tlslite:
    """A server that does not know the extension, and sends records of up to 16 KB."""

    def __init__(self, ends: Ends, served: Identity) -> None:
        from tlslite.tlsconnection import TLSConnection
        from tlslite.utils.keyfactory import parsePEMKey
        from tlslite.x509 import X509
        from tlslite.x509certchain import X509CertChain

        self._ends = ends
        self.connection = TLSConnection(self)
        certificate = X509()
        certificate.parse(served.certificate.decode())
        key = parsePEMKey(served.key.decode(), private=True)
        self._steps = self.connection.handshakeServerAsync(certChain=X509CertChain([certificate]), privateKey=key)

    def recv(self, length: int) -> bytes:
        if not self._ends.to_server:
            raise BlockingIOError(11, "")
        data = bytes(self._ends.to_server[:length])
        del self._ends.to_server[:length]
        return data

    def send(self, data: bytes) -> int:
        self._ends.to_client += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.send(data)

    def close(self) -> None:
        pass

    def step(self) -> None:
        for waits in self._steps:
            if waits == 0:
                return


def test_a_server_that_ignores_the_fragment_length() -> None:
    ends = Ends()
    client, server = Client(ends, Config(), ends), Tlslite(ends, identity("rsa"))
    shake_hands(client, server)
    server.connection.write(b"x" * 4096)
    assert len(client.read(1460) or b"") == 1460 and len(client.read(4096) or b"") == 2636
    server.connection.write(b"x" * 16_000)
    with pytest.raises(TlsFault) as fault:
        client.read(1460)
    assert fault.value.code == Code.SSL_INVALID_RECORD


def test_heap_is_taken_and_may_run_out() -> None:
    client, server, ends = joined(CONTEXT, heap=20_000)
    shake_hands(client, server)
    assert 1500 < 20_000 - ends.heap < 4000
    client, server, ends = joined(CONTEXT, heap=3000)
    with pytest.raises(TlsFault) as fault:
        shake_hands(client, server)
    assert fault.value.code == Code.SSL_ALLOC_FAILED


def test_verification_takes_time() -> None:
    trusted = read_certificates(identity().certificate)
    client, server, ends = joined(CONTEXT)
    shake_hands(client, server)
    verified, server, more = joined(CONTEXT, Config(trusted=trusted))
    shake_hands(verified, server)
    assert ends.seconds < more.seconds and client.aead
    refused, server, _ = joined(CONTEXT, Config(trusted=[]))
    with pytest.raises(TlsFault) as fault:
        shake_hands(refused, server)
    assert fault.value.code == Code.X509_CERT_VERIFY_FAILED


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4000), st.integers(1, 255), st.integers(0, 4))
def test_damage_on_the_way_is_a_fault_and_nothing_else(at: int, change: int, step: int) -> None:
    client, server, ends = joined(CONTEXT)
    try:
        for number in range(5):
            if client.handshake():
                break
            server.step()
            if number == step and at < len(ends.to_client):
                ends.to_client[at] ^= change
        if client.over:
            server.object.write(b"text")
            server.flush()
            if at < len(ends.to_client):
                ends.to_client[at] ^= change
            client.read(100)
    except TlsFault as fault:
        assert fault.code < 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_nonsense_is_a_fault_or_not_enough(data: bytes) -> None:
    ends = Ends()
    client = Client(ends, Config(), ends)
    client.handshake()
    ends.to_client += b"\x16\x03\x03" + len(data).to_bytes(2, "big") + data
    try:
        assert not client.handshake()
    except TlsFault as fault:
        assert fault.code < 0
