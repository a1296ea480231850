"""Datagrams from this computer, by the board, to its network."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from bridge.board import Board
from bridge.errors import BridgeError
from bridge.forward.associations import Association, Associations, Outlet
from bridge.forward.here_tcp import resolved
from bridge.forward.running import Running, Told, not_here
from bridge.forward.specification import Forward, place
from bridge.mirror.udp import UDPSocket
from bridge.streams.datagram import LARGEST
from bridge.streams.names import Names

Address = tuple[Any, ...]


class HereUdp(Running, asyncio.DatagramProtocol):
    """Listens on this computer; each client has a socket of its own on the board. Takes what `Running` takes.

    Args:
        names: what the board knows of them.
        idle: seconds of silence after which a client is forgotten.
    """

    def __init__(self, board: Board, forward: Forward, told: Told, *, names: Names, idle: float) -> None:
        super().__init__(board, forward, told)
        self._names = names
        self._clients: Associations[Address] = Associations(self._outlet, idle, self._stumbled)
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            family, address = await resolved(self.address, socket.SOCK_DGRAM)
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, address, family=family)
        except OSError as error:
            raise not_here(error, self.address, "UDP") from error
        self.address = self._transport.get_extra_info("sockname")[:2]

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        await self._clients.clear()
        await super().close()

    # asyncio.DatagramProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pass

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not data:
            return  # the board's stack sends no empty ones
        if len(data) > LARGEST:
            what = f"a datagram of {len(data)} bytes is lost: Wi-Fi takes {LARGEST}"
            self.tell_seldom("size", f"{self.line}: {what}")
            return
        self._clients.put(addr, data)

    def error_received(self, exc: Exception) -> None:
        """A client has gone; what was sent to it is lost."""

    # Answers.

    async def _outlet(self, client: Address, association: Association) -> Outlet:
        address = await self._names.address(self.forward.host)
        made = await self.board.net.createUDPSocket()
        sent_to = (self.forward.host_port, address)

        def received(_: UDPSocket, data: bytes, port: int, ip: str) -> None:
            # Others may guess the port; the client asked one.
            if (port, ip) == sent_to and self._transport is not None and not self._transport.is_closing():
                association.answered()
                self._transport.sendto(data, client)

        made.on("receive", received)

        def gone(reason: BridgeError | None) -> None:
            if reason is not None:  # the board has restarted
                association.end()

        made.when_gone(gone)
        return _BoardSocket(made, *sent_to)

    def _stumbled(self, error: Exception) -> None:
        self.tell_seldom(f"{error}", f"{self.line}: {error}")


class _BoardSocket:
    """A socket of the board that sends to one place."""

    def __init__(self, made: UDPSocket, port: int, ip: str) -> None:
        self._made, self._port, self._ip = made, port, ip

    def __repr__(self) -> str:
        return f"<to {place(self._ip, self._port)}>"

    async def send(self, data: bytes) -> None:
        await self._made.send(self._port, self._ip, data)

    async def close(self) -> None:
        with contextlib.suppress(BridgeError):  # the board has restarted, or gone
            await self._made.release()
