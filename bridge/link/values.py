"""Values on their way between the link's users and one board: functions become numbers, numbers stay exact."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from bridge.errors import ValueRefused
from bridge.link.callbacks import CallbackTable
from bridge.wire.messages import Ask, Event, Failure, Invoke, Message, Reply
from bridge.wire.numbers import Numbers
from bridge.wire.values import MAX_DEPTH, Value


class BoardValues:
    """Makes values fit a board, and those from it what they are there.

    Args:
        callbacks: numbers the functions among them.
        numbers: which numbers the board has.
    """

    def __init__(self, callbacks: CallbackTable, numbers: Numbers) -> None:
        self._callbacks = callbacks
        self._numbers = numbers

    def outward(self, value: Value, depth: int = 0) -> Value:
        """A value as it travels.

        Raises:
            ValueRefused: this board cannot hold it exactly, or it is nested too deep.
        """
        if isinstance(value, bool | str | bytes | bytearray | memoryview):
            return value
        if isinstance(value, int | float):
            return self._numbers.outward(value)
        if isinstance(value, Mapping | Sequence):
            if depth >= MAX_DEPTH:
                raise ValueRefused(
                    f"A table nested deeper than {MAX_DEPTH} cannot be carried to a board",
                    remedy="Does it hold itself?",
                )
            if isinstance(value, Mapping):
                return {self._key(key): self.outward(item, depth + 1) for key, item in value.items()}
            return [self.outward(item, depth + 1) for item in value]
        return self._callbacks.outward(value)

    def inward(self, value: Value) -> Value:
        """A value from the board."""
        if isinstance(value, float):
            return self._numbers.inward(value)
        if isinstance(value, list):
            return [self.inward(item) for item in value]
        if isinstance(value, dict):
            return {self.inward(key): self.inward(item) for key, item in value.items()}
        return value

    def message(self, message: Message) -> Message:
        """A message from the board, its values as they are there."""
        if self._numbers is not Numbers.SINGLE or not isinstance(message, Reply | Failure | Event | Invoke | Ask):
            return message
        return dataclasses.replace(message, values=tuple(self.inward(value) for value in message.values))

    def _key(self, key: Value) -> Value:
        if isinstance(key, tuple):
            raise ValueRefused("A table as the key of a table cannot be carried to a board")
        return self.outward(key)
