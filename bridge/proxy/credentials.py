"""User and password that a proxy asks for."""

from __future__ import annotations

import hmac

from bridge.errors import UsageError


class Credentials:
    """A user and a password, which no text shows.

    Args:
        user: 1 to 255 bytes in UTF-8.
        password: the same.

    Raises:
        UsageError: one of them is empty or too long, or the user holds a colon, which HTTP has no way to say.
    """

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user.encode(), password.encode()
        if not (1 <= len(self._user) <= 255 and 1 <= len(self._password) <= 255):
            raise UsageError("User and password of a proxy are 1 to 255 bytes each", remedy="Choose others.")
        if ":" in user:
            raise UsageError("The user of a proxy has no colon in it", remedy="Choose another.")

    @classmethod
    def read(cls, text: str) -> Credentials:
        """The credentials that `user:password` means.

        Raises:
            UsageError: it is not of that form; the message does not repeat it.
        """
        user, colon, password = text.partition(":")
        if not colon:
            raise UsageError("User and password of the proxy have no colon between them", remedy="Write user:password.")
        return cls(user, password)

    def admit(self, user: bytes, password: bytes) -> bool:
        """True if they are right; takes as long if only one of them is."""
        right = hmac.compare_digest(user, self._user)
        return hmac.compare_digest(password, self._password) and right

    def __repr__(self) -> str:
        return "<credentials>"

    def __reduce__(self) -> str:
        raise TypeError("credentials are not to be stored")
