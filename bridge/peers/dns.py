"""A DNS server that knows what a test tells it, and answers as badly as a test wants."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import UsageError

#: The port of DNS: a board asks no other.
PORT = 53
_HEADER = struct.Struct(">6H")
#: Response, recursion desired and available; what was asked was answered, or the name does not exist.
_ANSWER, _NO_SUCH_NAME = 0x8180, 0x8183
_ADDRESS, _INTERNET = 1, 1


@dataclass
class DnsPeer:
    """A DNS server that runs.

    Attributes:
        host, port: where a board reaches it.
        names: name → address; of others it says that they do not exist.
        queries: the names that were asked for, in order.
        silent: it answers nothing.
        delay: seconds before each answer.
        seconds_to_live: of its answers.
    """

    host: str
    port: int
    names: dict[str, str] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    silent: bool = False
    delay: float = 0.0
    seconds_to_live: int = 60

    def answer(self, query: bytes) -> bytes | None:
        """The answer to a query, which is noted; None for what is no query that can be answered."""
        try:
            number, flags, questions, *_ = _HEADER.unpack_from(query)
            name, end = _name(query, _HEADER.size)
            kind, group = struct.unpack_from(">2H", query, end)
        except (struct.error, IndexError, UnicodeDecodeError):
            return None
        if flags & 0x8000 or questions != 1:
            return None
        self.queries.append(name)
        if self.silent:
            return None
        address = self.names.get(name) if (kind, group) == (_ADDRESS, _INTERNET) else None
        question = query[_HEADER.size : end + 4]
        if address is None:
            code = _ANSWER if name in self.names else _NO_SUCH_NAME
            return _HEADER.pack(number, code, 1, 0, 0, 0) + question
        # The name is the one of the question, at byte 12.
        record = struct.pack(">3HIH", 0xC00C, kind, group, self.seconds_to_live, 4)
        return _HEADER.pack(number, _ANSWER, 1, 1, 0, 0) + question + record + ipaddress.IPv4Address(address).packed


@asynccontextmanager
async def dns_server(host: str, names: dict[str, str] | None = None, *, port: int = PORT) -> AsyncIterator[DnsPeer]:
    """A DNS server.

    Args:
        host: the address to bind to.
        names: name → address.
        port: a board asks 53; another is for virtual boards that are told so (`virtual:?dns=IP:PORT`); 0 for any.

    Raises:
        UsageError: the port cannot be had.
    """
    peer = DnsPeer(host, port, {name.lower(): address for name, address in (names or {}).items()})
    for name, address in peer.names.items():
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise UsageError(f"{address!r}, the address of {name}, is no IPv4 address") from None
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: _Server(peer), local_addr=(host, port))
    except OSError as error:
        raise UsageError(
            f"A DNS server cannot listen on {host} port {port} ({error.strerror})",
            remedy="Ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE; and only one server has one.",
        ) from error
    peer.port = transport.get_extra_info("sockname")[1]
    try:
        yield peer
    finally:
        transport.close()


class _Server(asyncio.DatagramProtocol):
    def __init__(self, peer: DnsPeer) -> None:
        self._peer = peer
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        answer = self._peer.answer(data)
        if answer is None:
            return
        if self._peer.delay:
            asyncio.get_running_loop().call_later(self._peer.delay, self._send, answer, address)
        else:
            self._send(answer, address)

    def _send(self, answer: bytes, address: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(answer, address)


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name without pointers, in lower case, and where it ends."""
    parts = []
    while size := data[at]:
        if size > 63:
            raise IndexError
        parts.append(data[at + 1 : at + 1 + size].decode("ascii").lower())
        at += 1 + size
    return ".".join(parts), at + 1
