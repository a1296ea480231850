"""An in-memory network: boards, simulated servers, a name server; everything on the event loop.

On the virtual clock it is deterministic. Test code opens connections to a board, serves addresses for it, sends it
datagrams, and fills the zone. Addresses nobody serves refuse connections if they are in `subnets`, otherwise they
answer nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import ANY, from_dotted, is_multicast
from bridge.virtual.lwip.dns import PORT as DNS_PORT
from bridge.virtual.lwip.hosts import answer_from_table
from bridge.virtual.lwip.interface import Site
from bridge.virtual.lwip.memstream import RECEIVE_BUFFER, MemoryStream
from bridge.virtual.lwip.pipe import Pipe
from bridge.virtual.lwip.segment import Datagram, Flag, Segment
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.lwip.wire import Station
from bridge.virtual.sdk.kernel import Kernel

#: What a name stands for: an address, several, or how the server fails: "nx", "servfail", "empty", "drop".
Record = str | list[str]
Handler = Callable[[MemoryStream], Awaitable[None]]
_Place = tuple[int, int]


class MemoryDatagrams:
    """A UDP port of the network."""

    def __init__(self, network: MemoryNetwork, place: _Place) -> None:
        self._network = network
        self._place = place
        self._queue: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    async def receive(self) -> tuple[bytes, tuple[str, int]]:
        """The next datagram: (data, (address, port) of its sender)."""
        return await self._queue.get()

    def send(self, data: bytes, ip: str, port: int) -> None:
        """Send a datagram to a board."""
        self._network.route_datagram(Datagram(*self._place, from_dotted(ip), port, data))

    def arrived(self, datagram: Datagram, sender: tuple[str, int]) -> None:
        """Called by the network."""
        self._queue.put_nowait((datagram.data, sender))


class MemoryNetwork:
    """A network in memory.

    Args:
        site: settings of the first board; others join by `factory_for`.
        latency: seconds from one end to the other.
    """

    def __init__(self, site: Site | None = None, *, latency: float = 0.001) -> None:
        first = from_dotted("10.77.0.1")
        self.site = site or Site(from_dotted("10.77.0.2"), gateway=first, dns=first)
        self.latency = latency
        self.zone: dict[str, Record] = {}
        #: (network, mask): places where a host answers even when nothing is served there.
        self.subnets: list[_Place] = [(self.site.gateway, 0xFFFFFFFF), (from_dotted("127.0.0.0"), 0xFF000000)]
        self._servers: dict[_Place, tuple[Handler, dict[str, Any]]] = {}
        self._datagrams: dict[_Place, MemoryDatagrams] = {}
        self._boards: dict[int, MemoryWire] = {}
        self._streams: dict[tuple[_Place, _Place], MemoryStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_port = 49_152

    # --- for boards ---

    def factory(self, kernel: Kernel) -> NetworkStack:
        """A stack for one boot of the first board; must be called with the event loop running."""
        return self._stack(kernel, self.site)

    def factory_for(self, address: str) -> Callable[[Kernel], NetworkStack]:
        """The factory of another board on this network."""
        site = replace(self.site, address=from_dotted(address))
        return lambda kernel: self._stack(kernel, site)

    def _stack(self, kernel: Kernel, site: Site) -> NetworkStack:
        old = self._boards.pop(site.address, None)
        if old is not None:
            old.close()
        return NetworkStack(kernel, site, lambda stack: self._join(stack, site))

    def _join(self, stack: NetworkStack, site: Site) -> MemoryWire:
        wire = MemoryWire(self, stack, site)
        self._boards[site.address] = wire
        return wire

    async def close(self) -> None:
        """End every server task and forget every connection."""
        for wire in list(self._boards.values()):
            wire.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- for tests and simulated programs ---

    async def open_connection(
        self, ip: str, port: int, *, source: str | None = None, receive_buffer: int = RECEIVE_BUFFER
    ) -> MemoryStream:
        """Connect to a board.

        Args:
            ip, port: where it listens.
            source: address to come from; the gateway's when None.
            receive_buffer: bytes kept for the reader.

        Raises:
            ConnectionRefusedError: the board does not listen there.
        """
        local = (from_dotted(source) if source else self.site.gateway, self._next_port)
        self._next_port += 1
        stream = self._open(local, (from_dotted(ip), port), receive_buffer=receive_buffer)
        stream.peer.open()
        try:
            await stream.opened
        except asyncio.CancelledError:
            stream.vanish()
            raise
        return stream

    def serve(
        self, ip: str, port: int, handler: Handler, *, receive_buffer: int = RECEIVE_BUFFER, nodelay: bool = True,
        ack_delay: float = 0.0,
    ) -> None:  # fmt: skip
        """Serve a TCP port: `handler(stream)` runs as a task for each connection, which is closed at its end.

        The other arguments are those of `MemoryStream`.
        """
        settings = {"receive_buffer": receive_buffer, "nodelay": nodelay, "ack_delay": ack_delay}
        self._servers[from_dotted(ip), port] = (handler, settings)

    def stop_serving(self, ip: str, port: int) -> None:
        """Refuse connections there from now on."""
        del self._servers[from_dotted(ip), port]

    def udp(self, ip: str, port: int) -> MemoryDatagrams:
        """Open a UDP port."""
        place = (from_dotted(ip), port)
        self._datagrams[place] = MemoryDatagrams(self, place)
        return self._datagrams[place]

    # --- routing ---

    def route_segment(self, segment: Segment) -> None:
        """A segment arrived at the network; see who gets it."""
        board = self._boards.get(segment.target)
        if board is not None:
            board.deliver(segment)
            return
        local, remote = (segment.target, segment.target_port), (segment.source, segment.source_port)
        stream = self._streams.get((local, remote))
        if segment.flags & (Flag.SYN | Flag.ACK) == Flag.SYN:
            if stream is not None and stream.peer.opening:
                stream.peer.receive(segment)
                return
            if stream is not None:  # of an earlier boot of the board
                stream.peer.vanish()
                stream.reset()
            self._serve_syn(segment, local, remote)
        elif stream is not None:
            stream.peer.receive(segment)

    def _serve_syn(self, segment: Segment, local: _Place, remote: _Place) -> None:
        served = self._servers.get(local) or self._servers.get((ANY, local[1]))
        if served is None and not self._has_host(local[0]):
            return
        handler, settings = served or (None, {})
        stream = self._open(local, remote, **settings)
        stream.peer.receive(segment)
        if handler is None:
            stream.peer.refuse()
            self._streams.pop((local, remote), None)
            return
        stream.peer.accept()
        task = asyncio.get_running_loop().create_task(self._run(handler, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, handler: Handler, stream: MemoryStream) -> None:
        try:
            await stream.opened
            await handler(stream)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            stream.close()

    def _open(self, local: _Place, remote: _Place, **settings: Any) -> MemoryStream:
        loop = asyncio.get_running_loop()
        pipe = Pipe[Segment](loop, self.latency, self.route_segment)
        stream = MemoryStream(loop, pipe.put, local, remote, self._forget, **settings)
        stream.opened.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._streams[local, remote] = stream
        return stream

    def _forget(self, stream: MemoryStream) -> None:
        self._streams.pop((stream.peer.local, stream.peer.remote), None)

    def route_datagram(self, datagram: Datagram) -> None:
        """A datagram arrived at the network; see who gets it."""
        board = self._boards.get(datagram.target)
        port = self._datagrams.get((datagram.target, datagram.target_port))
        answer = answer_from_table(datagram, self.site.hosts) or self._answer_from_zone(datagram)
        if is_multicast(datagram.target):
            for each in list(self._boards.values()):
                each.deliver_datagram(datagram)
        elif board is not None:
            board.deliver_datagram(datagram)
        elif port is not None:
            source = ".".join(map(str, datagram.source.to_bytes(4, "big")))
            port.arrived(datagram, (source, datagram.source_port))
        elif answer is not None:
            self.route_datagram(answer)

    def _answer_from_zone(self, datagram: Datagram) -> Datagram | None:
        if datagram.target_port != DNS_PORT or not self._has_host(datagram.target):
            return None
        name = dns_message.asked_name(datagram.data)
        record = self.zone.get(name.decode("latin-1"), "nx") if name is not None else "drop"
        if record == "drop":
            return None
        codes = {"nx": 3, "servfail": 2, "empty": 0}
        if isinstance(record, str) and record in codes:
            data = dns_message.respond(datagram.data, [], code=codes[record])
        else:
            addresses = [record] if isinstance(record, str) else record
            data = dns_message.respond(datagram.data, [from_dotted(address) for address in addresses])
        return Datagram(datagram.target, DNS_PORT, datagram.source, datagram.source_port, data)

    def _has_host(self, ip: int) -> bool:
        return any(ip & mask == network & mask for network, mask in self.subnets)

    def echo_time(self, ip: int) -> float | None:
        """Seconds an ICMP echo to an address takes, or None."""
        answers = ip in self._boards or self._has_host(ip) or any(place[0] == ip for place in self._servers)
        return 2 * self.latency if answers else None

    def board_left(self, wire: MemoryWire, address: int) -> None:
        """A board lost power or was reset: it vanishes, and its peers are not told."""
        if self._boards.get(address) is wire:
            del self._boards[address]


class MemoryWire:
    """One boot of a board on a `MemoryNetwork`."""

    def __init__(self, network: MemoryNetwork, station: Station, site: Site) -> None:
        loop = asyncio.get_running_loop()
        self._network = network
        self._station = station
        self._address = site.address
        self._out = Pipe[Segment](loop, network.latency, network.route_segment)
        self._datagrams = Pipe[Datagram](loop, network.latency, network.route_datagram)

    def deliver(self, segment: Segment) -> None:
        self._station.receive_segment(segment)

    def deliver_datagram(self, datagram: Datagram) -> None:
        self._station.receive_datagram(datagram)

    def send_segment(self, segment: Segment, at: float) -> None:
        if segment.target != self._address:
            self._out.put(segment, at)

    def send_datagram(self, datagram: Datagram, at: float) -> None:
        if datagram.target != self._address:
            self._datagrams.put(datagram, at)

    def changed(self) -> None:
        """Nothing to do: every segment is looked at when it comes."""

    def echo_time(self, ip: int) -> float | None:
        return self._network.echo_time(ip) if ip != self._address else None

    def close(self) -> None:
        self._out.close()
        self._datagrams.close()
        self._network.board_left(self, self._address)
