"""Secrets: read where they are when they are needed, and never shown."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from bridge.errors import UsageError
from bridge.provision.model import SecretSource


class Secret:
    """A secret that no text shows. `reveal` is for handing it to the board."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be stored")


def read_secret(source: SecretSource, folder: Path, what: str) -> Secret:
    """Fetch a secret.

    Args:
        source: where it is.
        folder: that a file's path is relative to.
        what: it is, for messages, e.g. "the password of workshop".

    Raises:
        UsageError: it is not there; says where it was looked for.
    """
    if source.env is not None:
        found = os.environ.get(source.env)
        where = f"the environment variable {source.env}"
    elif source.file is not None:
        found = _first_line(folder / source.file, what)
        where = f"the file {source.file}"
    else:
        found = _keyring(source, what)
        where = f"the keyring's entry {source.keyring}, {source.user}"
    if not found:
        raise UsageError(f"{what} is not in {where}", remedy="Put it there; it is never given on the command line.")
    if not _is_text(found):
        raise UsageError(f"{what}, in {where}, is not text in UTF-8")
    return Secret(found)


def _is_text(value: str) -> bool:
    """False for bytes that the system could not read. Not by an error, which would hold the secret."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _first_line(path: Path, what: str) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                raise UsageError(f"Others may read {path}, where {what} is", remedy=f"Run `chmod 600 {path}`.")
            return file.readline().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}, where {what} should be, is not text in UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path}, where {what} should be, cannot be read ({error.strerror})") from error


def _keyring(source: SecretSource, what: str) -> str | None:
    try:
        import keyring
    except ImportError as error:
        raise UsageError(
            f"{what} is in a keyring, and the library keyring is not installed",
            remedy="Install nodemcu-bridge[keyring], or use {env: NAME} or {file: PATH}.",
        ) from error
    assert source.keyring is not None and source.user is not None
    try:
        found = keyring.get_password(source.keyring, source.user)
    except Exception as error:  # backends raise what they like
        raise UsageError(f"The keyring did not give {what} ({type(error).__name__})") from error
    return None if found is None else str(found)


def fingerprint(secret: Secret | None, key: bytes) -> str:
    """What tells one secret from another, and is of no use without the key: 32 hexadecimal digits."""
    return hmac.new(key, b"" if secret is None else secret.reveal().encode(), "sha256").hexdigest()[:32]


def new_key() -> bytes:
    """A key for fingerprints."""
    return secrets.token_bytes(32)
