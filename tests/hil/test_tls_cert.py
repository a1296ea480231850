"""Whose certificates the board believes, and which one it shows. Writes the certificates of the test to its flash."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, tls_server
from tests.hil.test_tls_socket import client
from tests.virtual.modules.tls_bench import Identity, issue, server_context

pytestmark = pytest.mark.needs("tls")


@pytest.fixture(autouse=True)
async def nothing_is_set(board: Board) -> None:
    """After a restart nothing is checked and nothing shown; and no other test's rooms of the agent take heap."""
    await board.reset()


@dataclass(frozen=True)
class Authority:
    """Somebody who issues certificates, and some that it issued."""

    identity: Identity
    server: Identity
    client: Identity


def make_authority(name: str) -> Authority:
    identity = issue(name, ca=True)
    return Authority(
        identity,
        issue(f"server of {name}", issuer=identity),
        issue(f"client of {name}", issuer=identity),
    )


@pytest.fixture(scope="module")
def known() -> Authority:
    return make_authority("known")


@pytest.fixture(scope="module")
def stranger() -> Authority:
    return make_authority("stranger")


async def shakes_hands(board: Board, host: str, port: int) -> bool:
    """True if a connection comes to stand; False if it fails."""
    socket, events = await client(board, "connection", "reconnection", "disconnection")
    async with asyncio.timeout(PATIENCE):
        await socket.connect(port, host)
        (name, *_) = await events.get()
        if name == "connection":
            await socket.close()
        await socket.release()
    return name == "connection"


class Doorman:
    """Takes connections, and notes who came."""

    def __init__(self) -> None:
        self.guests: list[str | None] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certificate = writer.get_extra_info("ssl_object").getpeercert()
        self.guests.append(certificate["subject"][0][0][1] if certificate else None)
        await reader.read()


@asynccontextmanager
async def two_servers(host: str, known: Authority, stranger: Authority) -> AsyncIterator[tuple[int, int]]:
    async with (
        tls_server(host, server_context(known.server), Doorman()) as first,
        tls_server(host, server_context(stranger.server), Doorman()) as second,
    ):
        yield first, second


@asynccontextmanager
async def asking(host: str, server: Authority, guests: Authority) -> AsyncIterator[tuple[int, Doorman]]:
    """A server that takes only clients of an authority."""
    doorman = Doorman()
    context = server_context(server.server, client_ca=guests.identity)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with tls_server(host, context, doorman) as port:
        yield port, doorman


async def test_verify_with_a_certificate_believes_its_issuer_alone(
    board: Board, host: str, known: Authority, stranger: Authority
) -> None:
    cert = board.tls.cert
    async with two_servers(host, known, stranger) as (good, bad):
        assert await cert.verify(False) is True
        assert await shakes_hands(board, host, bad), "nobody checks"
        assert await cert.verify(known.identity.certificate) is True
        assert await shakes_hands(board, host, good)
        assert not await shakes_hands(board, host, bad)


async def test_verify_is_switched_off_and_on_with_the_certificate_in_the_flash(
    board: Board, host: str, known: Authority, stranger: Authority
) -> None:
    cert = board.tls.cert
    async with two_servers(host, known, stranger) as (good, bad):
        await cert.verify(known.identity.certificate)
        assert await cert.verify(False) is True
        assert await shakes_hands(board, host, bad)
        assert await cert.verify(True) is True
        assert not await shakes_hands(board, host, bad)
        assert await shakes_hands(board, host, good)
        await board.reset()
        assert await shakes_hands(board, host, bad), "off after a restart"
        assert await cert.verify(True) is True
        assert not await shakes_hands(board, host, bad)
        assert await shakes_hands(board, host, good)


async def test_verify_with_a_function_believes_all_that_it_returns(
    board: Board, host: str, known: Authority, stranger: Authority
) -> None:
    cert, asked = board.tls.cert, []

    def answer(*certificates: bytes) -> Callable[[int], bytes | None]:
        def function(number: int) -> bytes | None:
            asked.append(number)
            return certificates[number - 1] if number <= len(certificates) else None

        return function

    async with two_servers(host, known, stranger) as (good, bad):
        assert await cert.verify(answer(stranger.identity.certificate)) is True
        assert asked == [1, 2]
        assert not await shakes_hands(board, host, good)
        assert await cert.verify(answer(known.identity.certificate, stranger.identity.certificate)) is True
        assert await shakes_hands(board, host, good) and await shakes_hands(board, host, bad)
        assert await cert.verify(answer()) is True
        # The documentation says that then nobody checks; the firmware requires an issuer and knows none.
        assert not await shakes_hands(board, host, good)


async def test_what_is_no_certificate_is_refused(board: Board) -> None:
    for wrong, why in (
        (b"nonsense", "No PEM header"),
        (b"-----BEGIN CERTIFICATE-----\n!\n", "PEM"),
    ):
        with pytest.raises(LuaError, match=why):
            await board.tls.cert.verify(wrong)


async def test_auth_with_a_function_shows_what_it_returns(
    board: Board, host: str, known: Authority, stranger: Authority
) -> None:
    asked = []

    def answer(number: int) -> bytes | None:
        asked.append(number)
        return {0: known.client.key, 1: known.client.certificate}.get(number)

    async with asking(host, stranger, known) as (port, doorman):
        assert await board.tls.cert.auth(answer) is True
        assert asked == [0, 1, 2]
        assert await shakes_hands(board, host, port)
        assert doorman.guests == ["client of known"]


async def test_where_net_had_it(board: Board, host: str, known: Authority, stranger: Authority) -> None:
    """`net.cert` of older firmware."""
    with pytest.warns(DeprecationWarning, match="tls.cert"):
        cert = board.net.cert
    async with two_servers(host, known, stranger) as (good, bad):
        assert await cert.verify(known.identity.certificate) is True
        assert await shakes_hands(board, host, good)
        assert not await shakes_hands(board, host, bad)
        assert await cert.verify(False) is True
