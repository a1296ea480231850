"""Datagrams have no connections: who sends one is remembered for as long as answers may come."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

#: Datagrams of one client that wait for their turn; what comes beyond is lost, as it may be on any network.
WAITING = 32
#: Clients of one forward at once, each with a socket of the board or of this computer.
MOST = 8
#: Seconds that a client's answer has to come. Who has it, or had that time, makes way when another client comes; a name
#: server is asked from a new port each time.
ANSWER = 2.0
#: Clients that wait until one makes way, and datagrams of each; what comes beyond is lost.
QUEUE, QUEUE_EACH = 64, 4

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
        opening: makes its outlet, which calls `answered` for each answer.
        idle: seconds without a datagram, either way, after which it is forgotten.
        stumbled: told why a datagram could not be passed on.
        over: called when it passes nothing on any more.
    """

    def __init__(
        self,
        opening: Callable[[Association], Coroutine[Any, Any, Outlet]],
        idle: float,
        stumbled: Callable[[Exception], None],
        over: Callable[[], None],
    ) -> None:
        self._opening, self._idle, self._stumbled, self._over = opening, idle, stumbled, over
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._came = asyncio.Event()
        self.last = self._loop.time()
        self._owed = True
        self._deadline: asyncio.Timeout | None = None
        self.task: asyncio.Task[None] = self._loop.create_task(self._run())

    @property
    def rests(self) -> bool:
        """True if nothing is lost when it is forgotten, as far as can be told."""
        waits = self._deadline is not None and not self._waiting
        return waits and not (self._owed and self._loop.time() < self.last + ANSWER)

    def put(self, data: bytes) -> None:
        """A datagram of this client."""
        self._owed = True
        self._used()
        if len(self._waiting) < WAITING:
            self._waiting.append(data)
            self._came.set()

    def answered(self) -> None:
        """An answer came."""
        self._owed = False
        self._used()

    def end(self) -> None:
        """Pass nothing on any more."""
        self._over()
        self.task.cancel()

    def _used(self) -> None:
        self.last = self._loop.time()
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(self.last + self._idle)

    async def _run(self) -> None:
        outlet: Outlet | None = None
        try:
            while (data := await self._next()) is not None:
                if outlet is None:
                    outlet = await self._opening(self)
                try:
                    await outlet.send(data)
                except Exception as error:  # of this datagram: the next one may have more luck
                    self._stumbled(error)
        except Exception as error:
            self._stumbled(error)
        finally:
            self._over()
            if outlet is not None:
                await outlet.close()

    async def _next(self) -> bytes | None:
        """The next datagram, or None if none has come for too long."""
        if not self._waiting:
            self._came.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._idle) as self._deadline:
                    await self._came.wait()
            self._deadline = None
        # One may have come in the moment in which the time was over.
        return self._waiting.popleft() if self._waiting else None


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
        self._queue: dict[Client, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._letting_in: asyncio.Task[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._clients)

    def put(self, client: Client, data: bytes) -> None:
        """A datagram came."""
        if self._closed:
            return
        if client in self._clients:
            self._clients[client].put(data)
        elif self._queue or not self._room():
            self._wait(client, data)
        else:
            self._begin(client).put(data)

    def _room(self) -> bool:
        """Make room for another client, if there is none; False if all are busy."""
        if len(self._clients) < MOST:
            return True
        resting = [each for each in self._clients.values() if each.rests]
        if resting:
            min(resting, key=lambda each: each.last).end()
        return bool(resting)

    def _begin(self, client: Client) -> Association:
        def over() -> None:
            if self._clients.get(client) is made:
                del self._clients[client]

        made = Association(lambda each: self._opening(client, each), self._idle, self._stumbled, over)
        self._clients[client] = made
        self._keep(made.task)
        return made

    def _wait(self, client: Client, data: bytes) -> None:
        if client not in self._queue and len(self._queue) >= QUEUE:
            return
        waiting = self._queue.setdefault(client, [])
        if len(waiting) < QUEUE_EACH:
            waiting.append(data)
        if self._letting_in is None:
            self._letting_in = asyncio.get_running_loop().create_task(self._let_in())
            self._keep(self._letting_in)

    async def _let_in(self) -> None:
        try:
            while self._queue:
                while self._queue and self._room():
                    client = next(iter(self._queue))
                    waiting = self._queue.pop(client)
                    begun = self._begin(client)
                    for data in waiting:
                        begun.put(data)
                await asyncio.sleep(ANSWER / 40)  # answers come on their own; nobody tells of those that do not
        finally:
            self._letting_in = None

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def clear(self) -> None:
        """Forget every client, and take no more."""
        self._closed = True
        self._queue.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
