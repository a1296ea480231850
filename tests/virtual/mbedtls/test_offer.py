"""The ClientHello, byte by byte."""

from __future__ import annotations

import ssl
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bridge.virtual.mbedtls.certificate import read_certificates
from bridge.virtual.mbedtls.client import Client, Config
from bridge.virtual.mbedtls.fault import Code, TlsFault
from tests.virtual.mbedtls.pair import Ends, joined, shake_hands
from tests.virtual.modules.tls_bench import identity, issue, server_context


def hello() -> tuple[bytes, list[int], dict[int, bytes]]:
    """The record's and the message's versions, the cipher suites, and the extensions of a ClientHello."""
    ends = Ends()
    Client(ends, Config(), ends).handshake()
    data = bytes(ends.sent)
    assert data[0] == 22 and data[5] == 1 and len(data) == 5 + int.from_bytes(data[3:5], "big")
    versions = data[1:3] + data[9:11]
    at = 11 + 32
    at += 1 + data[at]
    length = int.from_bytes(data[at : at + 2], "big")
    suites = list(struct.unpack(f">{length // 2}H", data[at + 2 : at + 2 + length]))
    at += 2 + length
    assert data[at : at + 2] == b"\x01\x00"  # no compression
    at += 4
    extensions = {}
    while at < len(data):
        kind, length = struct.unpack(">HH", data[at : at + 4])
        extensions[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return versions, suites, extensions


def test_tls_1_2_with_a_fragment_length_of_4096_and_no_server_name() -> None:
    versions, _, extensions = hello()
    assert versions == b"\x03\x03\x03\x03"
    assert extensions[1] == b"\x04"
    assert not extensions.keys() & {0, 16, 43, 51}, "server name, ALPN, or something of TLS 1.3"
    # Groups, point formats, signatures, encrypt then MAC, extended master secret, session ticket.
    assert extensions.keys() == {1, 10, 11, 13, 22, 23, 35} and extensions[35] == b"" and extensions[11] == b"\x01\x00"


def test_curves_and_signatures_are_those_that_are_built_in() -> None:
    _, _, extensions = hello()
    curves = set(struct.unpack(f">{len(extensions[10]) // 2}H", extensions[10])[1:])
    assert curves == {23, 24, 22, 26, 27}  # secp256r1, secp384r1, secp256k1, brainpoolP256r1, brainpoolP384r1
    schemes = set(struct.unpack(f">{len(extensions[13]) // 2}H", extensions[13])[1:])
    assert schemes == {hashed << 8 | signed for hashed in (3, 4, 5, 6) for signed in (1, 3)}


def test_cipher_suites_have_ephemeral_keys_only() -> None:
    _, suites, _ = hello()
    assert 0x00FF in suites  # secure renegotiation is understood
    names = {0xC02B, 0xC02C, 0xC02F, 0xC030, 0x009E, 0x009F}
    assert names < set(suites)
    static_rsa = {0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D, 0x000A, 0xC09C, 0xC09D}
    others = {0x0005, 0xCCA8, 0xCCA9, 0xCCAA, 0x1301, 0x1302, 0x1303, 0xC012}
    assert not set(suites) & (static_rsa | others)


@pytest.mark.parametrize(
    ("curve", "name"),
    [
        (ec.SECP256R1, "prime256v1"),
        (ec.SECP384R1, "secp384r1"),
        (ec.SECP256K1, "secp256k1"),
        (ec.BrainpoolP256R1, "brainpoolP256r1"),
        (ec.BrainpoolP384R1, "brainpoolP384r1"),
    ],
)
def test_each_curve_is_good_for_keys_and_certificates(curve: type[ec.EllipticCurve], name: str) -> None:
    served = issue("server", key=ec.generate_private_key(curve()))
    context = server_context(served)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve(name)
    client, server, _ = joined(context, Config(trusted=read_certificates(served.certificate)))
    shake_hands(client, server)
    assert client.over


def test_other_curves_are_not() -> None:
    context = server_context(identity())
    context.set_ecdh_curve("secp521r1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for refused in (context, server_context(issue("server", key=ec.generate_private_key(ec.SECP521R1())))):
        client, server, _ = joined(refused)
        with pytest.raises(TlsFault) as fault:
            shake_hands(client, server)
        assert fault.value.code == Code.SSL_FATAL_ALERT_MESSAGE
