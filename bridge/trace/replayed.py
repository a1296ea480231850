"""What became of a trace that was played again."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.wire.events import ConsoleText, Failed, MessageReceived, SessionEvent
from bridge.wire.frame import Frame
from bridge.wire.messages import Message


@dataclass(frozen=True)
class Segment:
    """What stood between two NULs, or before a silence."""

    record: int
    """The record of the trace with which it was whole."""
    to_host: bool
    data: bytes
    frame: Frame | None
    """As it was decoded; None when it is none."""
    damaged: bool = False
    """The session counted it as damage."""
    elided: bool = False
    """Bytes of it were exchanged when the trace was written."""


@dataclass(frozen=True)
class Event:
    """Something that a session reported."""

    t: float
    to_host: bool
    """The host's session reported it: it came from the board. Else it is what the host sent."""
    what: SessionEvent


@dataclass
class SessionReplay:
    """One session, played again."""

    epoch: int
    check: str
    """Kind of check: "crc" or "sum"."""
    first: int
    """Its first record in the trace."""
    last: int
    """The record behind its last one."""
    alone: bool = False
    """The frames were fed without what they acknowledge: the session of this program does not send as the one did that
    was traced, and would have refused some. What arrives is read all the same; only how bad a session finds the line,
    and so whether a very short piece is text or damage, may differ."""
    damaged: int = 0
    """Segments that the host's session counted as damaged."""
    segments: list[Segment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """What the board sent, in order."""
        return [each.what.message for each in self.events if each.to_host and isinstance(each.what, MessageReceived)]

    @property
    def sent(self) -> list[Message]:
        """What the host sent, in order."""
        return [
            each.what.message for each in self.events if not each.to_host and isinstance(each.what, MessageReceived)
        ]

    @property
    def console(self) -> bytes:
        """What the board printed beside its frames."""
        return b"".join(each.what.data for each in self.events if each.to_host and isinstance(each.what, ConsoleText))

    @property
    def failure(self) -> Exception | None:
        """With what the host's session ended, if it did not end well."""
        return next((each.what.error for each in self.events if each.to_host and isinstance(each.what, Failed)), None)


@dataclass(frozen=True)
class Replay:
    """A trace, played again; a board that restarts has a session for each boot."""

    sessions: tuple[SessionReplay, ...]

    @property
    def messages(self) -> list[Message]:
        """What the board sent in all sessions, in order."""
        return [message for each in self.sessions for message in each.messages]

    @property
    def sent(self) -> list[Message]:
        """What the host sent in all sessions, in order."""
        return [message for each in self.sessions for message in each.sent]

    @property
    def console(self) -> bytes:
        """What the board printed in all sessions."""
        return b"".join(each.console for each in self.sessions)

    @property
    def damaged(self) -> int:
        """Segments that were counted as damaged."""
        return sum(each.damaged for each in self.sessions)
