"""A UDP socket of this computer that sends to one place, which may have several addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

#: Addresses of a name that are tried.
MOST = 4


class HostSocket:
    """Made by `open`.

    A name often has an address of IPv6 and one of IPv4 ("localhost" has), and a service may listen on one of them only.
    The system tells of an address where nobody listens only after something was sent there: that then goes to the next
    address, and so does what follows.

    Args:
        answer: called with each answer.
    """

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        self.answer = answer
        self._ends: list[_End] = []
        self._last, self._refused = b"", 0

    @classmethod
    async def open(cls, host: str, port: int, answer: Callable[[bytes], None]) -> HostSocket:
        """Resolve a name, and open a socket for each of its addresses.

        Args:
            host, port: where datagrams go.
            answer: see the class.

        Raises:
            OSError: nobody knows the name, or no address of it can be sent to.
        """
        loop = asyncio.get_running_loop()
        made, failure = cls(answer), OSError(f"{host} has no address")
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        try:
            for family, kind, number, _, address in found[:MOST]:
                try:
                    await made._add(family, kind, number, address)
                except OSError as error:  # this computer has no IPv6, say
                    failure = error
        except BaseException:
            await made.close()
            raise
        if not made._ends:
            raise failure
        return made

    async def _add(self, family: int, kind: int, number: int, address: Any) -> None:
        end = socket.socket(family, kind, number)
        try:
            end.setblocking(False)
            end.connect(address)
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: _End(self), sock=end)
        except BaseException:
            end.close()
            raise

    async def send(self, data: bytes) -> None:
        """Pass one on."""
        self._last, self._refused = data, 0
        self._ends[0].transport.sendto(data)

    async def close(self) -> None:
        """Send no more, and bring back no more answers."""
        for each in self._ends:
            each.transport.close()

    def added(self, end: _End) -> None:
        """An address can be sent to."""
        self._ends.append(end)

    def refused(self, end: _End) -> None:
        """Nobody listens at an address, at the moment."""
        if end is self._ends[0] and self._refused < len(self._ends) - 1:
            self._refused += 1
            self._ends.append(self._ends.pop(0))
            self._ends[0].transport.sendto(self._last)


class _End(asyncio.DatagramProtocol):
    """One address."""

    transport: asyncio.DatagramTransport

    def __init__(self, owner: HostSocket) -> None:
        self._owner = owner

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._owner.added(self)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._owner.answer(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, ConnectionRefusedError):
            self._owner.refused(self)
