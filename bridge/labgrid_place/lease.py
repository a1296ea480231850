"""A place of labgrid that this process has."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from bridge.board import Board
from bridge.errors import LeaseLost, PlaceFailed, PortError
from bridge.labgrid_place.place import LabgridPlace
from bridge.labgrid_place.talk import Message, Talk
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.ports.open import open_port


class LabgridLease:
    """The exclusive use of a place; given back by `release`, at the end of its context, or when this process ends.

    Attributes:
        place: what is leased.
        url: of its port, for programs of this process alone.
        since: when it began, in seconds since 1970.
        name: under which the coordinator has it.
    """

    def __init__(self, talk: Talk, said: Message) -> None:
        self._talk = talk
        self.place = LabgridPlace.read(said["place"])
        self.url: str = said["url"]
        self.since: float = said["since"]
        self.name: str = said["name"]
        self._released = False

    def __repr__(self) -> str:
        return f"<lease of {self.place.port}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    @property
    def keeper(self) -> int:
        """Number of the process that has the place."""
        return self._talk.pid

    def check(self) -> None:
        """Make sure that it is good.

        Raises:
            LeaseLost: it is over.
        """
        why = "it has been given back" if self._released else self._talk.judge()
        if why is not None:
            raise LeaseLost(f"The lease of the place {self.place.name} is over: {why}", port=self.place.port)

    async def open_port(self) -> Port:
        """Open the port of the place.

        Raises:
            LeaseLost: the lease is over.
            PortError: it cannot be opened.
        """
        self.check()
        try:
            return await open_port(self.url)
        except PortError:
            self.check()
            raise

    async def open_board(self, **options: Any) -> Board:
        """Open the board there; takes what `bridge.open_board` takes.

        Raises:
            LeaseLost: the lease is over.
            As `bridge.open_board`.
        """
        self.check()
        try:
            return await open_board(self.url, **options)
        except PortError:
            self.check()
            raise

    async def power(self, action: str) -> None:
        """Switch the power of the place by labgrid.

        Args:
            action: "on", "off" or "cycle".

        Raises:
            PlaceFailed: labgrid knows no power control there, or it fails.
            LeaseLost: the lease is over.
        """
        self.check()
        self._talk.say({"do": "power", "action": action})
        while "power" not in (message := await self._talk.hear()):
            self.check()
        if message["power"] is not None:
            raise PlaceFailed(message["power"]["why"], port=self.place.port, remedy=message["power"]["remedy"])

    async def release(self) -> None:
        """Give it back; what has the port open is cut off. Calling it again does nothing."""
        if not self._released:
            self._released = True
            await asyncio.shield(asyncio.to_thread(self._talk.end))
