"""Carries the datagrams of one UDP association: the client's to the board's socket, and back."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

from bridge.errors import BridgeError
from bridge.mirror.udp import UDPSocket
from bridge.proxy.serving import Served, Service, log
from bridge.proxy.socks5_datagram import Datagram, read_datagram, written_datagram

#: Bytes of a datagram that the stack carries over Wi-Fi at most: it cannot cut them.
MOST_BYTES = 1472
#: Datagrams that wait for the board, and that wait for an address; what comes more is lost, as it would be on a line.
MOST_WAITING = 64
#: Names asked for at once.
MOST_NAMES = 4


class Association(asyncio.DatagramProtocol):
    """One association.

    Args:
        service: see there.
        udp: of the board, listening; its handlers are this object's from here on.
        source: address that the client's datagrams come from.
        udp_port: the port there; 0 is that of the first datagram.
        served: gets how much was carried.
    """

    def __init__(self, service: Service, udp: UDPSocket, source: str, udp_port: int, served: Served) -> None:
        self._service, self._udp, self._source, self._udp_port, self._served = service, udp, source, udp_port, served
        self._transport: asyncio.DatagramTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Datagram] = asyncio.Queue(MOST_WAITING)
        self._asked: dict[str, list[Datagram]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        udp.on("receive", self._received)

    # From the client.

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if addr[0] != self._source or (self._udp_port and addr[1] != self._udp_port):
            self._drop("it comes from somebody else")
            return
        self._udp_port = addr[1]
        datagram = read_datagram(data)
        if isinstance(datagram, str):
            self._drop(datagram)
        elif len(datagram.data) > MOST_BYTES:
            self._drop(f"more than {MOST_BYTES} bytes do not leave the board")
        elif not datagram.udp_port:
            self._drop("it goes to port 0")
        elif not datagram.data:
            self._drop("the stock module sends no empty datagram")
        else:
            self._route(datagram)

    def _route(self, datagram: Datagram) -> None:
        try:
            if ipaddress.ip_address(datagram.host).version != 4:
                self._drop("the board's stack speaks IPv4 alone")
                return
            address = datagram.host
        except ValueError:
            self._ask(datagram)
            return
        self._put(address, datagram)

    def _put(self, address: str, datagram: Datagram) -> None:
        try:
            self._queue.put_nowait(Datagram(address, datagram.udp_port, datagram.data))
        except asyncio.QueueFull:
            self._drop("more comes than the line carries")

    def _ask(self, datagram: Datagram) -> None:
        name = datagram.host
        if name not in self._asked and len(self._asked) >= MOST_NAMES:
            self._drop("too many names are asked for at once")
            return
        waiting = self._asked.setdefault(name, [])
        if len(waiting) >= MOST_WAITING:
            self._drop("more comes than the line carries")
            return
        waiting.append(datagram)
        if len(waiting) == 1:
            task = self._loop.create_task(self._resolve(name))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _resolve(self, name: str) -> None:
        try:
            address = await self._service.names.address(name)
        except (OSError, BridgeError) as error:
            del self._asked[name]
            self._drop(str(error))
            return
        for datagram in self._asked.pop(name):
            self._put(address, datagram)

    async def pump(self) -> None:
        """Send what waits, until this is cancelled.

        Raises:
            BridgeError: the board is gone.
        """
        while True:
            datagram = await self._queue.get()
            try:
                await self._udp.send(datagram.udp_port, datagram.host, datagram.data)
            except BridgeError as error:
                self._udp.check()
                self._drop(str(error))
            else:
                self._served.to_board += len(datagram.data)

    async def end(self) -> None:
        """Stop asking for names."""
        tasks = [*self._asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # To the client.

    def _received(self, udp: object, data: bytes, udp_port: int, ip: str) -> None:
        if self._transport is None or self._transport.is_closing() or not self._udp_port:
            return  # it does not know yet where the client is
        self._transport.sendto(written_datagram(ip, udp_port, data), (self._source, self._udp_port))
        self._served.from_board += len(data)

    def _drop(self, why: str) -> None:
        # Each reason once: a flood of datagrams is to be no flood of lines.
        if why not in self._told and len(self._told) < MOST_WAITING:
            self._told.add(why)
            log.warning("%s: a datagram was dropped: %s", self._served.client, why)
