"""Datagrams have no connections: who sends one is remembered for as long as answers may come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

#: Datagrams of one client that wait for their turn; what comes beyond is lost, as it may be on any network.
WAITING = 32
#: Clients of one forward at once, each with a socket of the board or of this computer. When another comes, the one
#: that has been silent longest is forgotten.
MOST = 8

Client = TypeVar("Client")


class Outlet(Protocol):
    """Where a client's datagrams go."""

    async def send(self, data: bytes) -> None:
        """Pass one on. Raises OSError or BridgeError when that fails."""

    async def close(self) -> None:
        """Send no more, and bring back no more answers."""


class Association:
    """One client.

    Args:
        opening: makes its outlet, which calls `used` for each answer.
        idle: seconds without a datagram, either way, after which it is forgotten.
        stumbled: told why a datagram could not be passed on.
    """

    def __init__(
        self,
        opening: Callable[[Association], Coroutine[Any, Any, Outlet]],
        idle: float,
        stumbled: Callable[[Exception], None],
    ) -> None:
        self._opening, self._idle, self._stumbled = opening, idle, stumbled
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self.last = self._loop.time()
        self._deadline: asyncio.Timeout | None = None
        self.task: asyncio.Task[None] = self._loop.create_task(self._run())

    def put(self, data: bytes) -> None:
        """A datagram of this client."""
        self.used()
        if not self._queue.full():
            self._queue.put_nowait(data)

    def used(self) -> None:
        """A datagram came or went."""
        self.last = self._loop.time()
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(self.last + self._idle)

    async def _run(self) -> None:
        outlet: Outlet | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(self._idle) as self._deadline:
                        data = await self._queue.get()
                except TimeoutError:
                    return  # forgotten
                self._deadline = None
                if outlet is None:
                    outlet = await self._opening(self)
                await outlet.send(data)
        except Exception as error:
            self._stumbled(error)
        finally:
            self._deadline = None
            if outlet is not None:
                await outlet.close()


class Associations(Generic[Client]):
    """The clients of one forward.

    Args:
        opening: makes a client's outlet; gets the client, and its association.
        idle, stumbled: see `Association`.
    """

    def __init__(
        self,
        opening: Callable[[Client, Association], Coroutine[Any, Any, Outlet]],
        idle: float,
        stumbled: Callable[[Exception], None],
    ) -> None:
        self._opening, self._idle, self._stumbled = opening, idle, stumbled
        self._clients: dict[Client, Association] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._clients)

    def put(self, client: Client, data: bytes) -> None:
        """A datagram came."""
        found = self._clients.get(client)
        if found is None:
            if len(self._clients) >= MOST:
                self._forget(min(self._clients, key=lambda each: self._clients[each].last))
            found = Association(lambda each: self._opening(client, each), self._idle, self._stumbled)
            self._clients[client] = found
            made = found

            def ended(task: asyncio.Task[None]) -> None:
                self._ending.discard(task)
                if self._clients.get(client) is made:
                    del self._clients[client]

            self._ending.add(found.task)
            found.task.add_done_callback(ended)
        found.put(data)

    def _forget(self, client: Client) -> None:
        self._clients.pop(client).task.cancel()

    async def clear(self) -> None:
        """Forget every client."""
        for client in [*self._clients]:
            self._forget(client)
        await asyncio.gather(*self._ending, return_exceptions=True)
