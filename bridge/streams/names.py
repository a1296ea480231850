"""Addresses of hosts: the board is asked once for all clients that want the same name at the same time."""

from __future__ import annotations

import asyncio
import ipaddress

from bridge.errors import BridgeError, NetTimeout
from bridge.mirror.net import Net
from bridge.streams.resolving import resolve

#: Seconds that an address is good for. The stack keeps none itself, and asks for one name after the other, a quarter of
#: a second each: fifty clients of one server would wait for each other.
KEPT = 60.0
#: Addresses that are kept; the oldest go first.
MOST = 256


class Names:
    """What the board knows of names.

    Args:
        net: of the board, asked.
        port: of the board, for messages.
    """

    def __init__(self, net: Net, port: str) -> None:
        self._net, self._port = net, port
        self._known: dict[str, tuple[str, float]] = {}
        self._asked: dict[str, _Question] = {}

    async def address(self, host: str, timeout: float | None = None) -> str:
        """The IPv4 address of a host.

        Args:
            host: name or address.
            timeout: seconds that it may take.

        Raises:
            DNSFailed: see `bridge.streams.resolving.resolve`.
            NetTimeout: the time is over.
            BridgeError: the board did not answer.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._address(host)
        except TimeoutError as error:
            if isinstance(error, BridgeError):
                raise
            raise NetTimeout(f"The board found no address of {host} within {timeout:g} s", port=self._port) from error

    async def _address(self, host: str) -> str:
        try:
            if ipaddress.ip_address(host).version == 4:
                return host
        except ValueError:
            pass
        name = host.lower()
        loop = asyncio.get_running_loop()
        if name in self._known:
            address, until = self._known.pop(name)
            if loop.time() < until:
                self._known[name] = address, until
                return address
        question = self._asked.get(name)
        if question is None:
            question = self._asked[name] = _Question(loop.create_task(self._ask(name)))
        question.waiting += 1
        try:
            return await asyncio.shield(question.task)
        finally:
            question.waiting -= 1
            if not question.waiting and not question.task.done():
                question.task.cancel()
                if self._asked.get(name) is question:
                    del self._asked[name]

    async def _ask(self, name: str) -> str:
        loop = asyncio.get_running_loop()
        me = asyncio.current_task()
        try:
            address = await resolve(self._net, name, self._port)
        finally:
            question = self._asked.get(name)
            if question is not None and question.task is me:
                del self._asked[name]
        self._known[name] = address, loop.time() + KEPT
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return address


class _Question:
    """A name that the board is being asked for.

    Args:
        task: asks.
    """

    def __init__(self, task: asyncio.Task[str]) -> None:
        self.task, self.waiting = task, 0
        # Whoever waited may have gone in the moment that it failed.
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
