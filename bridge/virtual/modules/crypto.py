"""The `crypto` module (app/modules/crypto.c, app/crypto): digests, HMAC, mask and AES."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from bridge.virtual.lua.api import Args, LuaFault, LuaObject, Module, ObjectType
from bridge.virtual.modules.file import filesystem
from bridge.virtual.sdk.kernel import Kernel

_AES_BLOCK = 16
#: sizeof(digest_user_datum_t) on the chip.
_DATUM = 12


@dataclass(frozen=True)
class _Mechanism:
    """A digest: hashlib's name, and bytes of its block and of its C context (app/crypto/digests.c, sha2.h)."""

    name: str
    block: int
    context: int


#: By upper-case name, as `strcasecmp` finds them.
_DIGESTS = {
    b"MD5": _Mechanism("md5", 64, 92),
    b"SHA1": _Mechanism("sha1", 64, 92),
    b"SHA256": _Mechanism("sha256", 64, 104),
    b"SHA384": _Mechanism("sha384", 128, 208),
    b"SHA512": _Mechanism("sha512", 128, 208),
}


class Digest(LuaObject):
    """A `crypto.hash` object.

    Args:
        mechanism: the digest.
        key: for an HMAC; None for a plain digest.
    """

    TYPE: ClassVar[ObjectType]

    def __init__(self, mechanism: _Mechanism, key: bytes | None) -> None:
        #: What this object's userdata takes on the chip, in bytes.
        self.size = _DATUM + mechanism.context + (0 if key is None else mechanism.block)
        self._mechanism = mechanism
        self._key = key
        self._running: Any = self._fresh()

    def _fresh(self) -> Any:
        name = self._mechanism.name
        return hashlib.new(name) if self._key is None else hmac.new(self._key, digestmod=name)

    def update(self, data: bytes) -> None:
        """Take more data in."""
        self._running.update(data)

    def finalize(self) -> bytes:
        """The raw digest."""
        return bytes(self._running.digest())


def _update(args: Args) -> None:
    digest: Digest = args.check_object(1, Digest)
    digest.update(args.check_string(2))


def _finalize(args: Args) -> bytes:
    digest: Digest = args.check_object(1, Digest)
    return digest.finalize()


Digest.TYPE = ObjectType("crypto.hash", {"update": _update, "finalize": _finalize}, _DATUM + 104, has_gc=False)


def build(kernel: Kernel) -> Module:
    """The module as Lua sees it."""
    return Module(
        "crypto",
        {
            "sha1": lambda args: hashlib.sha1(args.check_string(1)).digest(),
            "mask": _mask,
            "hash": _hash,
            "fhash": lambda args: _file_hash(args, kernel),
            "new_hash": lambda args: Digest(_mechanism(args), None),
            "hmac": _hmac,
            "new_hmac": lambda args: Digest(_mechanism(args), args.check_string(2)),
            "encrypt": lambda args: _cipher(args, encrypt=True),
            "decrypt": lambda args: _cipher(args, encrypt=False),
        },
    )


def _mechanism(args: Args) -> _Mechanism:
    try:
        return _DIGESTS[_c_string(args.check_string(1)).upper()]
    except KeyError:
        raise LuaFault("unknown hash mech") from None


def _c_string(text: bytes) -> bytes:
    return text.split(b"\0", 1)[0]


def _mask(args: Args) -> bytes:
    message, mask = args.check_string(1), args.check_string(2)
    if not mask:
        raise LuaFault("invalid argument: mask")
    return bytes(byte ^ mask[index % len(mask)] for index, byte in enumerate(message))


def _hash(args: Args) -> bytes:
    mechanism = _mechanism(args)
    return hashlib.new(mechanism.name, args.check_string(2)).digest()


def _file_hash(args: Args, kernel: Kernel) -> bytes:
    mechanism = _mechanism(args)
    data = filesystem(kernel).read_file(_c_string(args.check_string(2)))
    if data is None:
        raise LuaFault("file does not exist")
    return hashlib.new(mechanism.name, data).digest()


def _hmac(args: Args) -> bytes:
    mechanism = _mechanism(args)
    data = args.check_string(2)
    return hmac.new(args.check_string(3), data, mechanism.name).digest()


def _cipher(args: Args, *, encrypt: bool) -> bytes:
    """`crypto.encrypt`/`decrypt(mechanism, key, data[, iv])`: AES with zeroes behind the data, one block at a time."""
    name = _c_string(args.check_string(1))
    chained = name.upper() == b"AES-CBC"
    if not chained and name.upper() != b"AES-ECB":
        raise LuaFault(b"unknown cipher: " + name)
    key, data = args.check_string(2), args.check_string(3)
    iv = args.opt_string(4, b"")[:_AES_BLOCK].ljust(_AES_BLOCK, b"\0")
    if len(key) != 16:  # the SDK's AES knows 128-bit keys only
        raise LuaFault("crypto op failed")
    padded = data.ljust(-(-len(data) // _AES_BLOCK) * _AES_BLOCK, b"\0")
    mode = modes.CBC(iv) if chained else modes.ECB()
    cipher: Cipher[Any] = Cipher(algorithms.AES(key), mode)
    make: Callable[[], CipherContext] = cipher.encryptor if encrypt else cipher.decryptor
    context = make()
    return context.update(padded) + context.finalize()
