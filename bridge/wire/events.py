"""What a session reports to whoever drives it."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import BridgeError
from bridge.wire.messages import Message


@dataclass(frozen=True)
class SessionEvent:
    """Base of all reports."""


@dataclass(frozen=True)
class Opened(SessionEvent):
    """The first valid frame of the other side has come."""


@dataclass(frozen=True)
class MessageReceived(SessionEvent):
    """A message has come; each once, in the order in which they were sent."""

    message: Message


@dataclass(frozen=True)
class ConsoleText(SessionEvent):
    """Bytes that are no frame: prints, panics, boot text."""

    data: bytes


@dataclass(frozen=True)
class Failed(SessionEvent):
    """The session is over."""

    error: BridgeError
