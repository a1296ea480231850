"""Reading and checking certificates as mbedTLS does; who is trusted is in test_tls_cert."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bridge.virtual.mbedtls.certificate import (
    CertificateFault,
    check_chain,
    kind_of,
    read_certificates,
    read_chain,
    read_key,
    size_of,
)
from bridge.virtual.mbedtls.fault import Code
from bridge.virtual.mbedtls.footprint import Key
from tests.virtual.modules.tls_bench import issue

CA_KEY = ec.generate_private_key(ec.SECP256R1())


def make(
    *extensions: Any, key: Any = None, signer: Any = CA_KEY, issuer: str = "ca", name: str = "x", algorithm: Any = None
) -> bytes:
    """A certificate in DER with these extensions, all critical."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key((key or CA_KEY).public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2001, 1, 1))
        .not_valid_after(datetime.datetime(2002, 1, 1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(signer, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def usage(**what: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: what.get(name, False) for name in names})


IS_CA = x509.BasicConstraints(ca=True, path_length=None)
CA = make(IS_CA, name="ca")


def fault_of(chain: list[bytes], trusted: list[bytes]) -> int:
    """The code with which a chain is refused, 0 if it is not."""
    try:
        check_chain(read_chain(chain), read_chain(trusted) if trusted else [])
    except CertificateFault as fault:
        return fault.code
    return 0


def test_pem_der_and_several_in_one_text() -> None:
    one, two = issue("one"), issue("two")
    both = read_certificates(one.certificate + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + two.certificate)  # fmt: skip  # noqa: E501
    assert len(both) == 2
    der = both[0].public_bytes(serialization.Encoding.DER)
    assert read_certificates(der) == both[:1]
    for text in (b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(CertificateFault):
            read_certificates(text)


@pytest.mark.parametrize("kind", ["ec", "ec384", "rsa"])
def test_keys(kind: str) -> None:
    key = read_key(issue("x", kind).key)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert read_key(der).public_key() == key.public_key()
    assert kind_of(key.public_key()) == {"ec": Key(False, 256), "ec384": Key(False, 384), "rsa": Key(True, 2048)}[kind]


def test_keys_that_are_not_built_in() -> None:
    for key in (ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()):
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(CertificateFault):
            read_key(pem)
        with pytest.raises(CertificateFault):
            read_certificates(make(key=key))
    for text in (b"", b"-----BEGIN RSA PRIVATE KEY-----\n"):
        with pytest.raises(CertificateFault):
            read_key(text)


def test_a_critical_extension_that_is_not_known_makes_a_certificate_unreadable() -> None:
    constraints = x509.NameConstraints([x509.DNSName("a.test")], None)
    with pytest.raises(CertificateFault) as fault:
        read_chain([make(constraints)])
    assert fault.value.alert == "bad_certificate"
    with pytest.raises(CertificateFault):
        read_chain([])


def test_no_date_and_no_name_is_looked_at() -> None:
    assert fault_of([make(name="anything")], [CA]) == 0


@pytest.mark.parametrize(
    ("leaf", "code"),
    [
        (make(usage(digital_signature=True)), 0),
        (make(usage(key_encipherment=True)), Code.SSL_BAD_HS_CERTIFICATE),
        (make(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])), 0),
        (make(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])), Code.SSL_BAD_HS_CERTIFICATE),
        (make(signer=ec.generate_private_key(ec.SECP256R1())), Code.X509_CERT_VERIFY_FAILED),
        (make(key=rsa.generate_private_key(65537, 1024)), Code.X509_CERT_VERIFY_FAILED),
        (make(issuer="another"), Code.X509_CERT_VERIFY_FAILED),
    ],
    ids=["signs", "encrypts", "server", "client", "forged", "short key", "unknown"],
)
def test_the_servers_own_certificate(leaf: bytes, code: int) -> None:
    assert fault_of([leaf], [CA]) == code


def test_an_authority_must_be_one() -> None:
    for extensions in ([], [x509.BasicConstraints(ca=False, path_length=None)], [IS_CA, usage(crl_sign=True)]):
        assert fault_of([make()], [make(*extensions, name="ca")]) == Code.X509_CERT_VERIFY_FAILED
    assert fault_of([make()], []) == Code.X509_CERT_VERIFY_FAILED


def chain_of(length: int, path_length: int | None = None) -> tuple[list[bytes], bytes]:
    """A server's chain with so many intermediates, and its authority."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(length + 2)]
    root = make(
        x509.BasicConstraints(ca=True, path_length=path_length), key=keys[0], signer=keys[0], name="0", issuer="0"
    )
    chain = [
        make(*([IS_CA] if n <= length else []), key=keys[n], signer=keys[n - 1], name=str(n), issuer=str(n - 1))
        for n in range(1, length + 2)
    ]
    return chain[::-1], root


def test_intermediates_are_counted() -> None:
    for length, code in ((0, 0), (1, 0), (3, 0), (4, Code.X509_FATAL_ERROR)):
        chain, root = chain_of(length)
        assert fault_of(chain, [root]) == code, length
    chain, root = chain_of(2, path_length=1)
    assert fault_of(chain, [root]) == Code.X509_CERT_VERIFY_FAILED
    chain, root = chain_of(2, path_length=2)
    assert fault_of(chain, [root]) == 0
    # In the wrong order, and with one missing.
    chain, root = chain_of(2)
    assert fault_of([chain[0], chain[2], chain[1]], [root]) == Code.X509_CERT_VERIFY_FAILED
    assert fault_of([chain[0], chain[2]], [root]) == Code.X509_CERT_VERIFY_FAILED


def test_size_on_the_chip() -> None:
    assert 900 < size_of(read_certificates(issue("x").certificate)[0]) < 1100
