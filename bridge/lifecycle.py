"""The life of a board, as a table: every state, every trigger, and which move is legal."""

from __future__ import annotations

import copy
from enum import Enum, auto

from bridge.errors import BridgeError, LinkError, LocalProtocolError, PortLost, UsageError


class State(Enum):
    """Where a board is in its life."""

    NEW = auto()
    OPENING = auto()
    """The prompt is looked for and the agent is put on the board."""
    READY = auto()
    RESTARTING = auto()
    """The board went away under the link; the agent is being put on it again. Calls wait."""
    LOST = auto()
    """It did not come back; calls raise why."""
    CLOSING = auto()
    CLOSED = auto()


class Trigger(Enum):
    """What moves a board from state to state."""

    OPEN = auto()
    ANSWERED = auto()
    """The agent is up."""
    DOWN = auto()
    """The link ended, and the board may come back."""
    FAILED = auto()
    CLOSE = auto()
    GONE = auto()
    """The prompt and the port have been given back."""


#: Every legal move. A missing pair is a mistake of whoever pulled the trigger.
TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (State.NEW, Trigger.OPEN): State.OPENING,
    (State.NEW, Trigger.CLOSE): State.CLOSING,
    (State.OPENING, Trigger.ANSWERED): State.READY,
    (State.OPENING, Trigger.FAILED): State.LOST,
    (State.OPENING, Trigger.CLOSE): State.CLOSING,
    (State.READY, Trigger.DOWN): State.RESTARTING,
    (State.READY, Trigger.FAILED): State.LOST,
    (State.READY, Trigger.CLOSE): State.CLOSING,
    (State.RESTARTING, Trigger.ANSWERED): State.READY,
    (State.RESTARTING, Trigger.FAILED): State.LOST,
    (State.RESTARTING, Trigger.CLOSE): State.CLOSING,
    (State.LOST, Trigger.CLOSE): State.CLOSING,
    (State.CLOSING, Trigger.GONE): State.CLOSED,
}


def move(state: State, trigger: Trigger) -> State:
    """The state after a trigger.

    Raises:
        LocalProtocolError: nothing may pull this trigger in this state.
    """
    after = TRANSITIONS.get((state, trigger))
    if after is None:
        raise LocalProtocolError(f"A board that is {state.name.lower()} cannot take {trigger.name.lower()}")
    return after


def why_not_ready(state: State, reason: BridgeError | None, url: str) -> BridgeError:
    """The error of whoever wants something of a board that is not ready.

    Args:
        state: of the board.
        reason: what ended its last link, if that is known.
        url: of its port.
    """
    match state:
        case State.LOST if reason is not None:
            error = copy.copy(reason)
            error.__cause__ = reason
            return error
        case State.RESTARTING:
            return LinkError(f"{url} is restarting", port=url)
        case State.CLOSING | State.CLOSED:
            return PortLost(f"{url} has been closed", port=url)
        case _:
            return UsageError(f"{url} has not been opened", remedy="Use `async with open_board(url)`.")
