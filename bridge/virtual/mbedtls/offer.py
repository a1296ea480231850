"""What the stock firmware offers in its ClientHello (app/include/user_mbedtls.h)."""

from __future__ import annotations

from typing import Any

from tlslite.extensions import TLSExtension
from tlslite.handshakesettings import HandshakeSettings

#: MBEDTLS_SSL_MAX_FRAG_LEN_4096 (RFC 6066, extension 1).
_MAX_FRAGMENT_LENGTH, _CODE_4096 = 1, 4


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


def max_fragment_length() -> Any:
    """The extension that asks for records of at most 4096 bytes."""
    return TLSExtension(extType=_MAX_FRAGMENT_LENGTH).create(bytearray([_CODE_4096]))
