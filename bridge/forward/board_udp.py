"""Datagrams from the board's network, by the board, to what this computer reaches."""

from __future__ import annotations

import asyncio
import contextlib

from bridge.board import Board
from bridge.errors import BridgeError
from bridge.forward.associations import WAITING, Association, Associations, Outlet
from bridge.forward.host_socket import HostSocket
from bridge.forward.running import Running, Told, not_on_board, shown_address
from bridge.forward.specification import EVERYWHERE, Forward
from bridge.mirror.udp import UDPSocket
from bridge.streams.datagram import LARGEST

#: (address, port) of who sent to the board.
Sender = tuple[str, int]


class BoardUdp(Running):
    """Listens on the board, again after each restart of it; each client has a socket of its own on this computer.

    Takes what `Running` takes.

    Args:
        idle: seconds of silence after which a client is forgotten.
    """

    def __init__(self, board: Board, forward: Forward, told: Told, *, idle: float) -> None:
        super().__init__(board, forward, told)
        self._clients: Associations[Sender] = Associations(self._outlet, idle, self._stumbled)
        self._answers: asyncio.Queue[tuple[bytes, Sender]] = asyncio.Queue(WAITING)
        self._socket: UDPSocket | None = None
        self._gone = asyncio.Event()

    async def open(self) -> None:
        await self._listen()
        self.spawn(self._keep())
        self.spawn(self._answer())

    async def close(self) -> None:
        await super().close()
        if self._socket is not None:
            with contextlib.suppress(BridgeError):
                await self._socket.release()
        await self._clients.clear()

    async def _listen(self) -> None:
        address, port = self.forward.address, self.address[1]
        made = await self.board.net.createUDPSocket()

        def received(_: UDPSocket, data: bytes, port: int, ip: str) -> None:
            self._clients.put((ip, port), data)

        made.on("receive", received)
        try:
            await made.listen(port, None if address == EVERYWHERE else address)
            chosen, ip = await made.getaddr()
            self.address = await shown_address(self.board, ip or address, chosen or port)
        except BaseException as error:
            await made.release()
            if isinstance(error, BridgeError):
                raise not_on_board(error, self.board, self.address, "UDP") from error
            raise
        self._gone = gone = asyncio.Event()
        made.when_gone(lambda reason: gone.set())
        self._socket = made

    async def _keep(self) -> None:
        while True:
            await self._gone.wait()
            if not await self.listen_again(self._listen):
                return

    async def _answer(self) -> None:
        while True:
            data, (ip, port) = await self._answers.get()
            assert self._socket is not None
            # It may have restarted, or have no room: datagrams may be lost.
            with contextlib.suppress(BridgeError):
                await self._socket.send(port, ip, data)

    async def _outlet(self, client: Sender, association: Association) -> Outlet:
        def answer(data: bytes) -> None:
            association.answered()
            if len(data) > LARGEST:
                what = f"an answer of {len(data)} bytes is lost: Wi-Fi takes {LARGEST}"
                self.tell_seldom("size", f"{self.line}: {what}")
            elif data and not self._answers.full():
                self._answers.put_nowait((data, client))

        return await HostSocket.open(self.forward.host, self.forward.host_port, answer)

    def _stumbled(self, error: Exception) -> None:
        self.tell_seldom(f"{error}", f"{self.line}: {error}")
