"""What a board holds for this program, and what its link says: for what watches over a board, such as a test run."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.board import Board
from bridge.mirror.handle import Remote
from bridge.wire.log import MessageListener
from bridge.wire.messages import Message

# Parts that a board keeps to itself are looked at here and nowhere else.


@dataclass(frozen=True)
class Holdings:
    """What a board holds for the program that has it open.

    Attributes:
        epoch: number of the boot of the agent; another one after each restart.
        rooms: parts of the agent that have been loaded since, by name; each takes heap.
        shapes: functions that were compiled for calls since; each takes heap.
        handles: objects of the board that the program has a handle of.
    """

    epoch: int
    rooms: frozenset[str]
    shapes: int
    handles: tuple[Remote, ...]


def holdings(board: Board) -> Holdings:
    """What a board holds now; no call is made.

    Raises:
        BridgeError: it is not ready.
    """
    board.facts  # noqa: B018 - raises if there is no link
    link, table = board._link, board._table
    assert link is not None and table is not None
    return Holdings(link.epoch, frozenset(link._rooms.names), len(link._shapes), tuple(table.live))


def spare(board: Board) -> None:
    """Have the agent let go what it can load again: what remains in use is held by the board itself.

    Raises:
        BridgeError: the board is not ready.
    """
    board.facts  # noqa: B018 - raises if there is no link
    assert board._link is not None
    board._link.spare()


class _Both:
    """Hears messages for two."""

    def __init__(self, first: MessageListener, second: MessageListener) -> None:
        self._both = (first, second)

    def sent(self, message: Message, now: float) -> None:
        for each in self._both:
            each.sent(message, now)

    def came(self, message: Message, now: float) -> None:
        for each in self._both:
            each.came(message, now)


def hear(board: Board, watcher: MessageListener) -> None:
    """Tell a watcher of the messages of the present boot's link, from now on.

    What has been sent before, while the agent was put on the board, holds nothing of the program's.

    Raises:
        BridgeError: the board is not ready.
    """
    board.facts  # noqa: B018 - raises if there is no link
    assert board._link is not None
    session = board._link.session
    session.messages = _Both(session.messages, watcher)
