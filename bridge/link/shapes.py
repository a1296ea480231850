"""Call shapes: what can be called on a board, compiled there once and called by number afterwards.

No value ever becomes part of a source: a shape is made from names alone, and the names are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from bridge.errors import LocalProtocolError
from bridge.wire.messages import FIRST_SHAPE, ONCE
from bridge.wire.values import Handle, Value

_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_PATH = re.compile(r"[A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,7}", re.ASCII)
#: Numbers of the agent's own functions, which read their arguments themselves, and of all others.
_DIRECT = range(1, FIRST_SHAPE - 1)
_GENERAL = range(FIRST_SHAPE, ONCE)
#: Number of the function that sends back what it gets, while the line is tried.
ECHO_SHAPE = FIRST_SHAPE - 1
#: Target that runs the source which the board has in a file; see `bridge.link.sources`.
STORED = "!stored"


class AgentCode(Protocol):
    """Where source of the agent comes from that is loaded on demand."""

    def room_of(self, member: str) -> tuple[str, ...]:
        """The rooms to load, in order, before a member such as "net.send" can be used."""

    def room(self, name: str) -> tuple[bytes, ...]:
        """Sources of a room; they are called one after the other with the agent's table."""

    def member(self, path: str) -> bytes:
        """Source that returns a member of the agent's table, which is its argument."""

    @property
    def spared(self) -> tuple[str, ...]:
        """Rooms that may go between calls."""

    def spare(self, rooms: Iterable[str]) -> bytes:
        """Source that lets such rooms go, and all functions that were compiled for calls."""

    def functions(self) -> bytes:
        """Source that returns the numbers of the host's functions that Lua holds; its argument is the agent's table."""

    def stored(self) -> bytes:
        """Source that makes the function which runs what the room `store` has compiled."""

    def leave(self) -> bytes:
        """Source that ends the agent, whose table is its argument."""

    def speed_try(self, baud: int) -> bytes:
        """Source that makes the board try another speed of the line, in baud; its argument is the agent's table."""

    def speed_keep(self) -> bytes:
        """Source that makes the board keep it; its argument is the agent's table."""


class ShapeTable:
    """Numbers of shapes, by target.

    Args:
        code: makes the source of the agent's own members.
    """

    def __init__(self, code: AgentCode) -> None:
        self._code = code
        self._numbers: dict[str, int] = {}  # the one not used for longest comes first

    def __len__(self) -> int:
        return len(self._numbers)

    def known(self, target: str) -> int | None:
        """The number of a target that the board has compiled, or None."""
        number = self._numbers.pop(target, None)
        if number is not None:
            self._numbers[target] = number
        return number

    def define(self, target: str) -> int:
        """A number for a new target: a free one, or that of the target not used for longest, which is forgotten."""
        numbers = _DIRECT if is_direct(target) else _GENERAL
        used = {number: known for known, number in self._numbers.items() if number in numbers}
        number = next((number for number in numbers if number not in used), None)
        if number is None:
            number, oldest = next(iter(used.items()))
            del self._numbers[oldest]
        self._numbers[target] = number
        return number

    def drop(self, target: str) -> None:
        """Forget a target: its source is sent again before the next call."""
        self._numbers.pop(target, None)

    def clear(self) -> None:
        """Forget all targets."""
        self._numbers.clear()

    def source(self, target: str) -> bytes:
        """The source whose value is the function that a target names.

        Raises:
            LocalProtocolError: the target is not written as one.
        """
        if is_path(target):
            return f'return {target} or error("there is no {target} on this board",0)'.encode()
        if target[:1] == ":" and _NAME.fullmatch(target[1:]):
            return f"return function(o,...)return o{target}(...)end".encode()
        if is_direct(target) and is_path(target[1:]):
            return self._code.member(target[1:])
        if target == STORED:
            return self._code.stored()
        raise LocalProtocolError(f"{target!r} names nothing that can be called on a board")

    def rooms(self, target: str, values: Sequence[Value], modules: Sequence[str] = ()) -> Iterable[str]:
        """The rooms that a call needs: those of the agent's own function, or what reads values that go with it.

        Args:
            target: what is called.
            values: the arguments. Lua that gets a function among them may wait for its results.
            modules: of the firmware. Their functions and all methods are C, which never waits.
        """
        if is_direct(target):
            return self._code.room_of(target[1:])
        if target[:1] != ":" and target.partition(".")[0] not in modules and any(map(_holds_function, values)):
            return (*self._code.room_of("values"), "wait")
        return self._code.room_of("values") if values else ()


def _holds_function(value: Value) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_function, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_function, value))
    return callable(value)


def is_path(target: str) -> bool:
    """True for names joined by points, which may stand in a source: no value of the host ever does."""
    return _PATH.fullmatch(target) is not None


def is_direct(target: str) -> bool:
    """True for a function of the agent's own, which reads its arguments itself."""
    return target[:1] == "@"


def direct_arguments(values: tuple[Value, ...]) -> bytes:
    """Arguments as the agent's own functions read them: numbers and handles of two bytes each, then text or bytes.

    Raises:
        LocalProtocolError: a number that two bytes cannot hold.
    """
    out = bytearray()
    for value in values:
        if isinstance(value, Handle):
            value = value.number
        if isinstance(value, int):
            if not 0 <= value <= 0xFFFF:
                raise LocalProtocolError(f"{value} does not fit the wire", remedy="Use a number from 0 to 65535.")
            out += value.to_bytes(2, "big")
        elif value is not None:
            out += value.encode() if isinstance(value, str) else bytes(value)
    return bytes(out)
