"""Call shapes: what can be called on a board, compiled there once and called by number afterwards.

No value ever becomes part of a source: a shape is made from names alone, and the names are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from bridge.errors import LocalProtocolError
from bridge.wire.messages import MAX_SHAPE, MAX_SOURCE, Source

_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_PATH = re.compile(r"[A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,7}", re.ASCII)
#: The number that rooms and other chunks run under that are called once, with the agent's table.
ONCE = MAX_SHAPE
_MOST_SHAPES = MAX_SHAPE - 1


class AgentCode(Protocol):
    """Where source of the agent comes from that is loaded on demand."""

    def room_of(self, member: str) -> tuple[str, ...]:
        """The rooms to load, in order, before a member such as "net.send" can be used."""

    def room(self, name: str) -> bytes:
        """Source of a room; it is called with the agent's table."""

    def member(self, path: str) -> bytes:
        """Source that returns a member of the agent's table, which is its argument."""


def source_messages(source: bytes) -> list[Source]:
    """Source as messages, to be followed at once by the call that uses it."""
    return [Source(source[at : at + MAX_SOURCE]) for at in range(0, len(source), MAX_SOURCE)] or [Source(b" ")]


class ShapeTable:
    """Numbers of shapes, by target.

    Args:
        code: makes the source of the agent's own members.
    """

    def __init__(self, code: AgentCode) -> None:
        self._code = code
        self._numbers: dict[str, int] = {}  # the one not used for longest comes first

    def known(self, target: str) -> int | None:
        """The number of a target that the board has compiled, or None."""
        number = self._numbers.pop(target, None)
        if number is not None:
            self._numbers[target] = number
        return number

    def define(self, target: str) -> int:
        """A number for a new target: a free one, or that of the target not used for longest, which is forgotten."""
        if len(self._numbers) >= _MOST_SHAPES:
            del self._numbers[next(iter(self._numbers))]
        used = set(self._numbers.values())
        number = next(number for number in range(1, _MOST_SHAPES + 1) if number not in used)
        self._numbers[target] = number
        return number

    def drop(self, target: str) -> None:
        """Forget a target: its source is sent again before the next call."""
        self._numbers.pop(target, None)

    def source(self, target: str) -> bytes:
        """The source whose value is the function that a target names.

        Raises:
            LocalProtocolError: the target is not written as one.
        """
        if _PATH.fullmatch(target):
            return f'return {target} or error("there is no {target} on this board",0)'.encode()
        if target[:1] == ":" and _NAME.fullmatch(target[1:]):
            return f"return function(o,...)return o{target}(...)end".encode()
        if target[:1] == "@" and _PATH.fullmatch(target[1:]):
            return self._code.member(target[1:])
        raise LocalProtocolError(f"{target!r} names nothing that can be called on a board")

    def rooms(self, target: str) -> Iterable[str]:
        """The rooms that a target needs. What is not the agent's own may take or return any kind of value."""
        if target[:1] == "@":
            return self._code.room_of(target[1:])
        return () if target[:1] == ":" else ("values",)
