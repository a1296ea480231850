"""A TLS server with a certificate of its own, whose issuer a board can be told to believe."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.peers.tcp import Handler, Peer, echo, tcp_server

# P-256: small, and one of the five curves of the firmware (app/mbedtls/user_mbedtls.h).
_CURVE = ec.SECP256R1()


@dataclass
class TlsPeer(Peer):
    """A TLS server that runs, and echoes.

    Attributes:
        authority: the certificate that issued its own, as PEM: for `board.tls.cert.verify` or a client here.
    """

    authority: str = ""


@asynccontextmanager
async def tls_server(host: str, handler: Handler = echo, *, name: str = "peer.test") -> AsyncIterator[TlsPeer]:
    """A TLS 1.2 server; the firmware speaks no later version.

    Args:
        host: the address to listen on.
        handler: serves one connection.
        name: in its certificate, beside the address.
    """
    authority_key, key = ec.generate_private_key(_CURVE), ec.generate_private_key(_CURVE)
    issuer = _named("authority of a test")
    authority = _certificate(issuer, authority_key, issuer, authority_key, [])
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(host))]
    own = _certificate(_named(name), key, issuer, authority_key, names)
    peer = TlsPeer(host, authority=authority.public_bytes(serialization.Encoding.PEM).decode())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with peer.serving():
            await handler(reader, writer)

    async with tcp_server(host, serve, _context(own, key)) as peer.port:
        yield peer


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
        # OpenSSL takes a key by its file only; it is this user's alone, and gone at once.
        path = Path(folder, "server.pem")
        path.touch(mode=0o600)
        path.write_bytes(text)
        context.load_cert_chain(path)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=key is issuer_key, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
