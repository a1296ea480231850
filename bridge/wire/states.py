"""Where a session stands, and what moves it.

States: OPENING (nothing heard yet; the host stays silent, because what it says would be typed at the prompt), OPEN,
CLOSED (asked for by `close`), FAILED (the other side broke the rules or fell silent). `TRANSITIONS` is the whole
automaton; a pair that is missing is an error of whoever caused it.
"""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """Where a session stands."""

    OPENING = auto()
    OPEN = auto()
    CLOSED = auto()
    FAILED = auto()


class Trigger(Enum):
    """What moves it."""

    HEARD = auto()
    """A valid frame came."""
    SEND = auto()
    """This side has a message."""
    CLOSE = auto()
    """This side is done."""
    FAULT = auto()
    """The other side broke the rules or fell silent."""


TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (State.OPENING, Trigger.HEARD): State.OPEN,
    (State.OPENING, Trigger.SEND): State.OPENING,
    (State.OPENING, Trigger.CLOSE): State.CLOSED,
    (State.OPENING, Trigger.FAULT): State.FAILED,
    (State.OPEN, Trigger.HEARD): State.OPEN,
    (State.OPEN, Trigger.SEND): State.OPEN,
    (State.OPEN, Trigger.CLOSE): State.CLOSED,
    (State.OPEN, Trigger.FAULT): State.FAILED,
    (State.CLOSED, Trigger.CLOSE): State.CLOSED,
    (State.FAILED, Trigger.CLOSE): State.CLOSED,
}
