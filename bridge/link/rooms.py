"""The agent's rooms that are on the board, and those on their way there."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

from bridge.link.shapes import AgentCode
from bridge.link.sources import source_messages
from bridge.wire.messages import ONCE, Call, Message


class Rooms:
    """Loads each room once, when it is first needed.

    Args:
        code: sources of the rooms.
        load: sends a room and waits until the board has it.
    """

    def __init__(self, code: AgentCode, load: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self._code = code
        self._load_now = load
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, asyncio.Future[None]] = {}
        self._doors: collections.defaultdict[str, asyncio.Lock] = collections.defaultdict(asyncio.Lock)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are on the board, or on their way there."""
        return tuple(self._rooms)

    async def load(self, rooms: Iterable[str]) -> None:
        """Wait until rooms are on the board; who gives up waiting stops no load that others wait for.

        Those who want the same room go on in the order in which they came.
        """
        for room in rooms:
            # Without it, who comes when a room has just arrived would go on before those who waited for it.
            async with self._doors[room]:
                loading = self._rooms.get(room)
                if loading is None:
                    loading = self._rooms[room] = self._loop.create_task(self._load_now(room))
                    loading.add_done_callback(functools.partial(self._loaded, room))
                await asyncio.shield(loading)

    @contextlib.contextmanager
    def missing(self, rooms: Iterable[str]) -> Iterator[list[Message]]:
        """What loads rooms for a call that cannot wait; nothing for those that are there or on their way.

        They are on their way when the body, which is to send this with the call, ends without an error.
        """
        absent = [room for room in rooms if room not in self._rooms]
        pieces = (piece for room in absent for piece in self._code.room(room))
        yield [message for piece in pieces for message in (*source_messages(piece), Call(ONCE, 0))]
        for room in absent:
            self._rooms[room] = self._loop.create_future()
            self._rooms[room].set_result(None)

    def forget(self, rooms: Iterable[str]) -> list[str]:
        """Those of some rooms that are on the board, which lets them go: they are sent again when they are needed."""
        there = [room for room in rooms if room in self._rooms and self._rooms[room].done()]
        for room in there:
            del self._rooms[room]
        return there

    def _loaded(self, room: str, done: asyncio.Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._rooms.pop(room, None)
