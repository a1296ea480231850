"""Certificates, and TLS servers of OpenSSL in the memory network of a board on the bench."""

from __future__ import annotations

import datetime
import functools
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bridge.virtual import clock
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines

#: `mk()` makes a connection whose events are printed.
PRELUDE = (
    'function ev(n) return function(c,...) print("EV "..n,c==sk and "sk" or tostring(c),...) end end',
    "function mk() local c=tls.createConnection() "
    'for _,n in ipairs{"connection","reconnection","disconnection","sent","dns"} do c:on(n,ev(n)) end',
    'c:on("receive",function(c,d) print("EV receive",#d,d:sub(1,30)) end) return c end',
)


PORT = 7443


def on_network(
    test: Callable[[Bench, MemoryNetwork], Awaitable[None]], *servers: Any, lua: str = "5.1", **options: Any
) -> None:
    """Run a test on a booted board whose peer, also named server.test, has servers at PORT and the ports behind it.

    Args:
        test: gets board and network.
        servers: handlers of `MemoryNetwork.serve`.
        lua: version of the firmware.
        options: of the board; computing takes no time unless told.
    """

    async def main() -> None:
        network = MemoryNetwork()
        network.zone["server.test"] = PEER
        for n, server in enumerate(servers):
            network.serve(PEER, PORT + n, server)
        bench = await Bench.boot(
            modules="file,net,node,tls,tmr,uart,wifi", network_factory=network.factory, lua=lua, **{"cpu": 0, **options}
        )
        try:
            for line in PRELUDE:
                await bench.type(line)
            await test(bench, network)
        finally:
            bench.close()
            await network.close()

    clock.run(main())


async def connect(bench: Bench, port: int = PORT, before: str = "") -> list[str]:
    """Connect a fresh socket `sk`, and what came of it but the "dns" event."""
    said = await lines(bench, f'sk=mk() {before} sk:connect({port},"{PEER}")', 3)
    assert said[0] == f"EV dns\tsk\t{PEER}", said
    return said[1:]


#: What `connect` answers.
CONNECTED = ["EV connection\tsk"]
FAILED = ["EV reconnection\tsk\tnil"]


@functools.cache
def identity(kind: str = "ec") -> Identity:
    """A self-signed server certificate, made once."""
    return issue("server", kind)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, in PEM."""

    certificate: bytes
    key: bytes
    issuer: Identity | None = None

    @property
    def chain(self) -> bytes:
        """The certificate and those that issued it, without the self-signed one at the end."""
        parts, each = [self.certificate], self.issuer
        while each is not None and each.issuer is not None:
            parts.append(each.certificate)
            each = each.issuer
        return b"".join(parts)


def make_key(kind: str) -> Any:
    """A fresh private key: "ec", "ec384", or "rsa" with 2048 bits."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def issue(
    name: str, kind: str = "ec", issuer: Identity | None = None, *, ca: bool = False, days: tuple[int, int] = (-1, 30),
    padding: int = 0, key: Any = None, names: tuple[str, ...] = (),
) -> Identity:  # fmt: skip
    """Make an identity, self-signed without an issuer.

    Args:
        name: its common name.
        kind: of its key.
        issuer: signs it.
        ca: True lets it issue others.
        days: when it is valid, counted from now.
        padding: bytes of a comment that make it larger.
        key: its private key, instead of a fresh one.
        names: hosts that it is for, which a host's own TLS looks at.
    """
    key = key or make_key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signer, issued_by = key, subject
    if issuer is not None:
        signer = serialization.load_pem_private_key(issuer.key, None)
        issued_by = x509.load_pem_x509_certificate(issuer.certificate).subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    # What Python's own contexts insist on from 3.13 on.
    if issuer is not None:
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(by, critical=False)
    if ca:
        only = dict.fromkeys(
            "content_commitment key_encipherment data_encipherment key_agreement encipher_only decipher_only".split(),
            False,
        )
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **only)
        builder = builder.add_extension(usage, critical=True)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(own, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names)]), critical=False)
    if padding:
        comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.16.840.1.113730.1.13"), bytes(padding))
        builder = builder.add_extension(comment, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    return Identity(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
        issuer,
    )


def server_context(identity: Identity, *, client_ca: Identity | None = None) -> ssl.SSLContext:
    """OpenSSL as a server with this certificate; with `client_ca` it wants a client's certificate of that issuer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "identity.pem")
        path.write_bytes(identity.chain + identity.key)
        context.load_cert_chain(path)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca.certificate.decode())
    return context


class TlsStream:
    """The server's side of a secure connection, over a stream of the memory network.

    Args:
        stream: the TCP connection.
        context: settings of OpenSSL.
    """

    def __init__(self, stream: MemoryStream, context: ssl.SSLContext) -> None:
        self.stream = stream
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_side=True)
        #: All bytes that came, as they stood on the wire.
        self.came = bytearray()

    async def handshake(self) -> None:
        """Raises ssl.SSLError."""
        await self._until(self.object.do_handshake)

    async def read(self, limit: int = 65536) -> bytes:
        """What came, b"" at the end."""
        try:
            return await self._until(lambda: self.object.read(limit))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):  # the board closes without a farewell
            return b""

    def write(self, data: bytes) -> None:
        """Send."""
        self.object.write(data)
        self._flush()

    async def close(self) -> None:
        """Send the farewell, and close."""
        try:
            self.object.unwrap()
        except ssl.SSLError:
            pass
        self._flush()
        self.stream.close()

    def _flush(self) -> None:
        if self._out.pending:
            try:
                self.stream.write(self._out.read())
            except ConnectionResetError:
                pass

    async def _until(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                data = await self.stream.read(65536)
                self.came += data
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()
            finally:
                self._flush()


async def echo(stream: TlsStream) -> None:
    """Sends back what comes."""
    while data := await stream.read():
        stream.write(data)
    await stream.close()


def secure(
    context: ssl.SSLContext,
    serve: Callable[[TlsStream], Awaitable[None]] = echo,
    seen: list[Any] | None = None,
) -> Any:
    """A server for `MemoryNetwork.serve` that speaks TLS.

    Args:
        context: settings of OpenSSL.
        serve: what to do once the handshake is through.
        seen: gets each connection, or the error of its handshake.
    """

    async def handler(stream: MemoryStream) -> None:
        tls = TlsStream(stream, context)
        try:
            await tls.handshake()
        except (ssl.SSLError, ConnectionError) as error:
            if seen is not None:
                seen.append(error)
            stream.close()
            return
        if seen is not None:
            seen.append(tls)
        await serve(tls)

    return handler
