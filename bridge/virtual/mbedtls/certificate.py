"""Certificates and keys as mbedTLS reads them, and how it checks a server's chain (app/mbedtls/library/x509_crt.c).

As the stock firmware is built: no date is looked at (no MBEDTLS_HAVE_TIME_DATE), and no host name (the glue gives
none). What is read must be RSA or a curve that user_mbedtls.h has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.mbedtls.footprint import Key, certificate

#: MBEDTLS_X509_MAX_INTERMEDIATE_CA.
_MAX_INTERMEDIATES = 3
#: mbedtls_x509_crt_profile_default: SHA-1 is not in it, and RSA keys have 2048 bits at least.
_MIN_RSA_BITS = 2048
_HASHES = (hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = ("secp256r1", "secp384r1", "secp256k1", "brainpoolP256r1", "brainpoolP384r1")
#: Critical extensions that are understood; any other makes a certificate unreadable.
_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    x509.ObjectIdentifier("2.16.840.1.113730.1.1"),
}
_PEM_MARK = b"-----BEGIN CERTIFICATE-----"

Certificate = x509.Certificate


class CertificateFault(TlsFault):
    """A certificate cannot be read, or is not trusted.

    Args:
        code: mbedTLS's error.
        alert: name of the alert for the peer, as tlslite spells it.
        text: why.
    """

    def __init__(self, code: int, alert: str, text: str) -> None:
        super().__init__(code, text)
        self.alert = alert


def read_certificates(data: bytes) -> list[Certificate]:
    """As `mbedtls_x509_crt_parse`: one certificate in DER, or those of a PEM text that can be read.

    Raises:
        CertificateFault: none can.
    """
    if _PEM_MARK not in data:
        return [_read(data)]
    found = []
    for part in data.split(_PEM_MARK)[1:]:
        body, _, _ = part.partition(b"-----END CERTIFICATE-----")
        try:
            pem = _PEM_MARK + body + b"-----END CERTIFICATE-----\n"
            found.append(_read(x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)))
        except ValueError:
            continue
        except CertificateFault:
            continue
    if not found:
        raise _unreadable("no certificate in the PEM text can be read")
    return found


def read_key(data: bytes) -> Any:
    """As `mbedtls_pk_parse_key` without a password: an RSA or EC key in PEM or DER.

    Raises:
        CertificateFault: it cannot be read.
    """
    load = serialization.load_pem_private_key if b"-----BEGIN " in data else serialization.load_der_private_key
    try:
        key = load(data, None)
    except (ValueError, TypeError) as error:
        raise _unreadable("the private key cannot be read") from error
    except Exception as error:  # an algorithm that the library has not
        raise _unreadable("the private key is of no kind that is known") from error
    if not _usable(key.public_key()):
        raise _unreadable("the private key is neither RSA nor on a curve that is built in")
    return key


def read_chain(chain: Sequence[bytes]) -> list[Certificate]:
    """A server's certificates, in DER.

    Raises:
        CertificateFault: there are none, or one cannot be read.
    """
    if not chain:
        raise _unreadable("the server sent no certificate")
    return [_read(data) for data in chain]


def kind_of(public_key: Any) -> Key:
    """What a key of the library cryptography is."""
    return Key(isinstance(public_key, rsa.RSAPublicKey), public_key.key_size)


def size_of(each: Certificate) -> int:
    """Bytes of the chip's heap that a certificate takes once it is read."""
    return certificate(len(each.public_bytes(serialization.Encoding.DER)), kind_of(each.public_key()))


def check_chain(chain: Sequence[Certificate], trusted: Sequence[Certificate]) -> None:
    """As `mbedtls_x509_crt_verify` with MBEDTLS_SSL_VERIFY_REQUIRED, and `mbedtls_ssl_check_cert_usage`.

    Args:
        chain: what the server sent, its own certificate first.
        trusted: the authorities.

    Raises:
        CertificateFault: it is not trusted.
    """
    child = chain[0]
    if not _strong(child.public_key()):
        raise _untrusted("the server's key is too short", "unsupported_certificate")
    rest, intermediates, own_issued = list(chain[1:]), 0, 0
    if child.issuer == child.subject and child in trusted:
        _check_usage(child)
        return
    while True:
        if not isinstance(child.signature_hash_algorithm, _HASHES):
            raise _untrusted("a certificate is signed with an old hash", "certificate_unknown")
        parent = _parent(child, trusted, intermediates - own_issued, top=True)
        if parent is not None:
            if not _strong(parent.public_key()):
                raise _untrusted("an authority's key is too short", "unsupported_certificate")
            break
        parent = _parent(child, rest, intermediates - own_issued, top=False)
        if parent is None:
            raise _untrusted("no trusted authority has issued the server's certificate", "unknown_ca")
        intermediates += 1
        if intermediates > _MAX_INTERMEDIATES:
            raise CertificateFault(Code.X509_FATAL_ERROR, "certificate_unknown", "too many intermediates")
        if not _strong(parent.public_key()):
            raise _untrusted("an intermediate's key is too short", "unsupported_certificate")
        own_issued += parent.issuer == parent.subject
        rest = rest[rest.index(parent) + 1 :]
        child = parent
    _check_usage(chain[0])


def _check_usage(leaf: Certificate) -> None:
    usage = _extension(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise CertificateFault(Code.SSL_BAD_HS_CERTIFICATE, "unsupported_certificate", "not for signatures")
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    allowed = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if purposes is not None and not any(purpose in allowed for purpose in purposes):
        raise CertificateFault(Code.SSL_BAD_HS_CERTIFICATE, "unsupported_certificate", "not for a server")


def _parent(
    child: Certificate, candidates: Sequence[Certificate], between: int, *, top: bool
) -> Certificate | None:  # fmt: skip
    """As `x509_crt_find_parent_in`."""
    for each in candidates:
        if each.subject != child.issuer:
            continue
        constraints = _extension(each, x509.BasicConstraints)
        may_issue = constraints is not None and constraints.ca
        if not may_issue and not (top and each.version is x509.Version.v1):
            continue
        usage = _extension(each, x509.KeyUsage)
        if usage is not None and not usage.key_cert_sign:
            continue
        if constraints is not None and constraints.path_length is not None and constraints.path_length < between:
            continue
        try:
            child.verify_directly_issued_by(each)
        except (InvalidSignature, ValueError, TypeError):
            continue
        return each
    return None


def _read(der: bytes) -> Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        unknown = [each for each in certificate.extensions if each.critical and each.oid not in _UNDERSTOOD]
        usable = _usable(certificate.public_key())
    except Exception as error:  # whatever the library does not like about it
        raise _unreadable("a certificate cannot be read") from error
    if unknown or not usable:
        raise _unreadable("a certificate has a key or an extension that is not known")
    return certificate


def _usable(key: Any) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, rsa.RSAPublicKey) and key.key_size <= 4096


def _strong(key: Any) -> bool:
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size >= _MIN_RSA_BITS


def _extension(certificate: Certificate, kind: type[Any]) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _unreadable(text: str) -> CertificateFault:
    return CertificateFault(Code.SSL_BAD_HS_CERTIFICATE, "bad_certificate", text)


def _untrusted(text: str, alert: str) -> CertificateFault:
    return CertificateFault(Code.X509_CERT_VERIFY_FAILED, alert, text)
