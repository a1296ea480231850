"""The board's own certificate out of its flash: on a virtual board, network and clock.

The flash takes RSA keys alone. Signing with one, beside all else that a handshake takes, wants 7 KB more than a board
with the agent has (44 600 bytes are free at its prompt); so this board has more.
"""

from __future__ import annotations

import asyncio

import pytest

from bridge.board import Board
from bridge.errors import LuaError
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.mirror.test_on_a_board import HOST, on_a_board
from tests.virtual.modules.tls_bench import Identity, TlsStream, issue, secure, server_context

#: Free bytes at the prompt: an RSA key of 2048 bits, and the server checked as well.
HEAP = 56_000


class Doorman:
    """A server that takes only clients of an issuer, and notes who came."""

    def __init__(self, network: MemoryNetwork, server: Identity, clients_of: Identity) -> None:
        self.guests: list[str] = []
        network.serve(HOST, 8883, secure(server_context(server, client_ca=clients_of), self._receive))

    async def _receive(self, stream: TlsStream) -> None:
        certificate = stream.object.getpeercert()
        assert certificate
        self.guests.append(certificate["subject"][0][0][1])
        stream.write(b"welcome")
        await stream.read()


async def is_let_in(board: Board) -> bool:
    """True if a connection stands and is welcomed; False if it fails."""
    events: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    socket = await board.tls.createConnection()
    for name in ("receive", "reconnection", "disconnection"):
        socket.on(name, lambda _, *values, name=name: events.put_nowait((name, *values)))
    socket.on("connection", lambda each: each.send(b"?"))
    await socket.connect(8883, HOST)
    event = await events.get()
    if event == ("receive", b"welcome"):
        await socket.close()
        assert await events.get() == ("disconnection",)
    await socket.release()
    return event == ("receive", b"welcome")


def test_a_certificate_and_its_key_are_shown_and_stay_in_the_flash() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        issuer = issue("issuer", ca=True)
        own = issue("the board", "rsa", issuer)
        doorman = Doorman(network, issue("server", issuer=issuer), issuer)
        cert = board.tls.cert
        assert not await is_let_in(board), "it has nothing to show"
        assert await cert.auth(own.certificate, own.key) is True
        assert await is_let_in(board)
        assert await cert.auth(False) is True
        assert not await is_let_in(board)
        assert await cert.auth(True) is True
        assert await is_let_in(board)
        await board.reset()
        assert not await is_let_in(board), "off after a restart"
        assert await cert.auth(True) is True
        assert await cert.verify(issuer.certificate) is True
        assert await is_let_in(board), "both ways checked"
        assert doorman.guests == ["the board"] * 3

    on_a_board(scenario, heap=HEAP)


def test_what_is_no_certificate_or_no_key_is_refused() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        own = issue("the board", "rsa")
        for wrong, why in (
            ((b"nonsense", own.key), "No PEM header"),
            ((own.certificate, b"nonsense"), "No PEM header"),
            ((own.key, own.certificate), "Wrong PEM type"),
            ((own.certificate, issue("x", "ec").key), "Wrong PEM type"),
        ):
            with pytest.raises(LuaError, match=why):
                await board.tls.cert.auth(*wrong)

    on_a_board(scenario)


def test_where_net_had_it_the_board_shows_its_certificate_too() -> None:
    async def scenario(board: Board, network: MemoryNetwork, virtual: VirtualBoard) -> None:
        issuer = issue("issuer", ca=True)
        own = issue("the board", "rsa", issuer)
        doorman = Doorman(network, issue("server", issuer=issuer), issuer)
        with pytest.warns(DeprecationWarning, match="tls.cert"):
            cert = board.net.cert
        assert await cert.auth(own.certificate, own.key) is True
        assert await is_let_in(board)
        assert doorman.guests == ["the board"]

    on_a_board(scenario, heap=HEAP)
