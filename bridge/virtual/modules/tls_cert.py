"""`tls.cert` (app/modules/tls.c), and what becomes of it at a handshake (app/mbedtls/app/espconn_mbedtls.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from bridge.virtual.lua.api import Args, LuaFault, Module, Value
from bridge.virtual.lua.runtime import LuaRaised
from bridge.virtual.mbedtls.certificate import Certificate, read_certificates, read_key, size_of
from bridge.virtual.mbedtls.client import Config
from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.modules.tls_sector import CLIENT_CERT, SERVER_CERT, find_blob, is_written, store
from bridge.virtual.sdk.kernel import Kernel

_CERTIFICATE = (b"CERTIFICATE", b"certificate")
_PRIVATE_KEY = (b"RSA PRIVATE KEY", b"private_key")
#: LUA_NOREF.
_NOREF: Final = object()


class Certificates:
    """`ssl_client_options`: what verifies servers, and what the board says who it is.

    Args:
        kernel: the boot.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._verify, self._auth = False, False
        self._verify_function: Value = _NOREF
        self._auth_function: Value = _NOREF

    # --- for Lua ---

    def verify(self, arguments: Args) -> Any:
        """`tls.cert.verify(true | false | pem | fn)`."""
        self._verify_function = _NOREF
        if arguments.is_function(1):
            self._verify_function = arguments[-1]  # the reference is to whatever is on top of the stack
            return True
        self._verify = self._wanted(arguments, "tls.cert.verify", SERVER_CERT, (_CERTIFICATE,))
        return True

    def auth(self, arguments: Args) -> Any:
        """`tls.cert.auth(true | false | certificate, key | fn)`."""
        self._auth_function = _NOREF
        if arguments.is_function(1):
            self._auth_function = arguments[-1]
            return True
        self._auth = self._wanted(arguments, "tls.cert.auth", CLIENT_CERT, (_CERTIFICATE, _PRIVATE_KEY))
        return True

    def _wanted(self, arguments: Args, name: str, sector: int, kinds: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether it is to be on; stores PEM texts."""
        if arguments.is_none(1) or arguments.get(1) is not None:
            self._kernel.deprecated(f"{name}'s old interface", "soon")
        if isinstance(arguments.get(1), bytes):
            texts = [
                arguments.check_string(n) if arguments.is_string(n) else None for n in range(1, len(arguments) + 1)
            ]
            store(self._kernel, sector, texts, kinds)
        elif arguments.get(1) is None or arguments.get(1) is False:
            return False
        if not is_written(self._kernel, sector):
            raise LuaFault("no certificates found")
        return True

    # --- for a handshake ---

    def configure(self, take: Callable[[int], None]) -> Config:
        """As `mbedtls_msg_config`.

        Args:
            take: told the size of each certificate that is read, for the heap; may raise.

        Raises:
            TlsFault: what is asked for cannot be had; which is all that the board learns.
        """
        try:
            chain, key = self._identity(take)
            trusted = self._authorities(take)
        except (TlsFault, LuaRaised) as error:
            raise TlsFault(Code.SSL_ALLOC_FAILED, "certificates or key cannot be had") from error
        return Config(trusted, chain, key)

    def _identity(self, take: Callable[[int], None]) -> tuple[list[Certificate], Any]:
        if self._auth_function is not _NOREF:
            text = self._ask(self._auth_function, 0)
            key = None if text is None else read_key(text)
            return self._ask_all(self._auth_function, take), key
        if not self._auth:
            return [], None
        chain = self._stored(CLIENT_CERT, b"certificate", take)
        text = find_blob(self._kernel, CLIENT_CERT, b"private_key")
        if text is None:
            raise TlsFault(Code.SSL_ALLOC_FAILED)
        return chain, read_key(text)

    def _authorities(self, take: Callable[[int], None]) -> list[Certificate] | None:
        if self._verify_function is not _NOREF:
            # Also without any certificate the server is verified, and then nobody is trusted.
            return self._ask_all(self._verify_function, take)
        return self._stored(SERVER_CERT, None, take) if self._verify else None

    def _stored(self, sector: int, name: bytes | None, take: Callable[[int], None]) -> list[Certificate]:
        data = find_blob(self._kernel, sector, name)
        if data is None:
            raise TlsFault(Code.SSL_ALLOC_FAILED)
        return _read(data, take)

    def _ask_all(self, function: Value, take: Callable[[int], None]) -> list[Certificate]:
        found: list[Certificate] = []
        number = 1
        while (text := self._ask(function, number)) is not None:
            found += _read(text, take)
            number += 1
        return found

    def _ask(self, function: Value, number: int) -> bytes | None:
        """Call a function of the program, protected: a text, or None for nil and false."""
        results = self._kernel.lua.call(function, number)
        answer = results[0] if results else None
        if answer is None or answer is False:
            return None
        if not isinstance(answer, bytes):
            raise TlsFault(Code.SSL_ALLOC_FAILED, "no text")
        return answer


def _read(data: bytes, take: Callable[[int], None]) -> list[Certificate]:
    found = read_certificates(data)
    for each in found:
        take(size_of(each))
    return found


def build_cert(certificates: Certificates) -> Module:
    """The table `tls.cert`."""
    return Module("cert", {"verify": certificates.verify, "auth": certificates.auth})
