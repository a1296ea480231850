"""Messages as a log may show them: elided as in a trace."""

from __future__ import annotations

from bridge.trace.secrets import Known
from bridge.trace.words import Words
from bridge.wire import messages
from bridge.wire.messages import Direction, Message


class DiscreetMessages:
    """Takes secrets out of the messages of one session; a `bridge.wire.log.Discretion`.

    Args:
        whole: it hears the session from its first message on. Else it takes what it does not know for secret.
        known: secrets that were seen elsewhere; those that are seen here are added.
    """

    def __init__(self, whole: bool, known: Known | None = None) -> None:
        self._words = Words(known, wary=not whole)
        self._waiting: list[bytes] = []

    def sent(self, message: Message) -> list[Message]:
        """A message to the board: those that can be told now, in order."""
        data = messages.encode(message)
        began, self._waiting = bool(self._waiting), [*self._waiting, data]
        if self._words.goes_on(data, began=began):
            return []
        group, self._waiting = self._waiting, []
        return [messages.decode(each, Direction.TO_BOARD) for each in self._words.to_board(group)]

    def came(self, message: Message) -> Message:
        """A message of the board as it can be told."""
        return messages.decode(self._words.to_host(messages.encode(message)), Direction.TO_HOST)
