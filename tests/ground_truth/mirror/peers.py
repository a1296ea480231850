"""The network of the recorder, in memory: peers that behave as those of `scenarios/netlib.py`, on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.memnet import MemoryDatagrams, MemoryNetwork, Record
from bridge.virtual.lwip.memstream import MemoryStream

#: The addresses of the recordings.
PEER, NODE = "10.77.0.1", "10.77.0.2"

Handler = Callable[[MemoryStream, "Peers"], Awaitable[None]]


class Peers:
    """Servers, clients and datagrams on the network of one board, and what they saw.

    Attributes:
        seen: as `extra` in a recording: [time, what, …].
        streams: connections that a scenario keeps.
        datagrams: the UDP port that a scenario opened.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self.seen: list[list[Any]] = []
        self.streams: dict[Any, MemoryStream] = {}
        self.datagrams: MemoryDatagrams | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def saw(self, *what: Any) -> None:
        """Note something."""
        self.seen.append([asyncio.get_running_loop().time(), *what])

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside."""
        self._tasks.append(asyncio.create_task(work))

    async def close(self) -> None:
        """End what is beside."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def serve(self, handler: Handler, *, nodelay: bool = False) -> None:
        """A TCP server on port 7001, as all scenarios have it."""

        async def serve(stream: MemoryStream) -> None:
            self.saw("accept", stream.remote)
            await handler(stream, self)

        self.network.serve(PEER, 7001, serve, nodelay=nodelay)

    def answer_names(self, zone: dict[str, Record], delay: float = 0.0) -> None:
        """A name server with a zone; a name it does not know is answered "no such name"."""
        port = self.network.udp(PEER, 53)

        async def serve() -> None:
            while True:
                question, (ip, source) = await port.receive()
                name = (dns_message.asked_name(question) or b"").decode("latin-1")
                if max(map(len, name.split("."))) > 127:
                    return  # the recorder's server stumbled over it, and answered nobody any more
                self.saw("dns", name)
                record = zone.get(name, "nx")
                if record != "drop":
                    self.spawn(self._answer(port, question, record, (ip, source), delay))

        self.spawn(serve())

    async def _answer(
        self, port: MemoryDatagrams, question: bytes, record: Record, to: tuple[str, int], delay: float
    ) -> None:
        await asyncio.sleep(delay)
        codes = {"nx": 3, "servfail": 2, "empty": 0}
        if isinstance(record, str) and record in codes:
            data = dns_message.respond(question, [], code=codes[record])
        else:
            addresses = [record] if isinstance(record, str) else record
            data = dns_message.respond(question, [from_dotted(address) for address in addresses])
        port.send(data, *to)

    async def connect(self, key: Any, timeout: float = 3.0) -> MemoryStream:
        """Connect to the board's port 8080.

        Raises:
            TimeoutError: the board ignores it; ConnectionRefusedError.
        """
        async with asyncio.timeout(timeout):
            stream = self.streams[key] = await self.network.open_connection(NODE, 8080)
        return stream


async def echo(stream: MemoryStream, peers: Peers) -> None:
    """Sends back what comes, until the board closes."""
    try:
        while data := await stream.read(65536):
            peers.saw("recv", len(data))
            stream.write(data)
        peers.saw("peer-fin")
    except ConnectionError:
        peers.saw("err")


async def sink(stream: MemoryStream, peers: Peers) -> None:
    """Takes what comes, until the board closes."""
    try:
        while data := await stream.read(65536):
            peers.saw("recv", len(data))
        peers.saw("peer-fin")
    except ConnectionError:
        peers.saw("err")
