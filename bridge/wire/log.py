"""The log of a session's messages. What they hold of keys and passwords stays out of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from bridge.wire.messages import Message, describe

log = logging.getLogger("bridge.wire")


class MessageListener(Protocol):
    """Hears the messages of a session."""

    def sent(self, message: Message, now: float) -> None:
        """A message goes out."""

    def came(self, message: Message, now: float) -> None:
        """A message has come in."""


class Discretion(Protocol):
    """Takes secrets out of messages before they are written down; `bridge.trace.discreet` is one."""

    def sent(self, message: Message) -> list[Message]:
        """A message was sent: those that can be told now, in order. Source is told with the call that uses it."""

    def came(self, message: Message) -> Message:
        """A message came: as it can be told."""


#: Makes one; whether it is to hear all messages of the session.
MakeDiscretion = Callable[[bool], Discretion]


class MessageLog:
    """Writes messages to the logger `bridge.wire`, at level DEBUG.

    Args:
        name: of the session.
        discretion: without one, only what stands behind a name such as `pwd` is left out.
    """

    def __init__(self, name: str, discretion: MakeDiscretion | None = None) -> None:
        self._name = name
        self._make = discretion
        self._discretion: Discretion | None = None
        self._whole = True

    def sent(self, message: Message, now: float) -> None:
        """A message goes out."""
        if self._listens():
            for each in [message] if self._discretion is None else self._discretion.sent(message):
                log.debug("%s > %.6f %s", self._name, now, describe(each))

    def came(self, message: Message, now: float) -> None:
        """A message has come in."""
        if self._listens():
            shown = message if self._discretion is None else self._discretion.came(message)
            log.debug("%s < %.6f %s", self._name, now, describe(shown))

    def _listens(self) -> bool:
        if not log.isEnabledFor(logging.DEBUG):
            # What a later answer is to, nobody will know.
            self._whole, self._discretion = False, None
            return False
        if self._discretion is None and self._make is not None:
            self._discretion = self._make(self._whole)
        return True
