"""Servers on this computer for the test's board, each with a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

import pytest

from bridge.pytest_plugin.fixtures import boards_of

if TYPE_CHECKING:
    from bridge import Board
    from bridge.peers import DnsPeer, Peer, TlsPeer, UdpPeer

T = TypeVar("T")


def _running(request: pytest.FixtureRequest, server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    session = boards_of(request)
    peer = session.run(server.__aenter__())
    try:
        yield peer
    finally:
        session.run(server.__aexit__(None, None, None))


@pytest.fixture
def peer_echo(request: pytest.FixtureRequest, host_address: str) -> Iterator[Peer]:
    """A TCP server that sends back what comes."""
    from bridge.peers import echo_server

    yield from _running(request, echo_server(host_address))


@pytest.fixture
def peer_slow(request: pytest.FixtureRequest, host_address: str) -> Iterator[Peer]:
    """A TCP server that echoes 1 000 bytes a second, and takes no more."""
    from bridge.peers import slow_server

    yield from _running(request, slow_server(host_address))


@pytest.fixture
def peer_resetting(request: pytest.FixtureRequest, host_address: str) -> Iterator[Peer]:
    """A TCP server that resets each connection when its first bytes have come."""
    from bridge.peers import resetting_server

    yield from _running(request, resetting_server(host_address))


@pytest.fixture
def peer_half_closing(request: pytest.FixtureRequest, host_address: str) -> Iterator[Peer]:
    """A TCP server that says `bye`, ends its own direction, and reads on."""
    from bridge.peers import half_closing_server

    yield from _running(request, half_closing_server(host_address))


@pytest.fixture
def peer_tls(request: pytest.FixtureRequest, host_address: str) -> Iterator[TlsPeer]:
    """A TLS server that echoes; `await board.tls.cert.verify(peer_tls.authority)` makes the board believe it."""
    from bridge.peers import tls_server

    yield from _running(request, tls_server(host_address))


@pytest.fixture
def peer_udp(request: pytest.FixtureRequest, host_address: str) -> Iterator[UdpPeer]:
    """A UDP server that sends each datagram back."""
    from bridge.peers import udp_echo_server

    yield from _running(request, udp_echo_server(host_address))


@pytest.fixture
def peer_dns(request: pytest.FixtureRequest, board: Board, host_address: str) -> Iterator[DnsPeer]:
    """A DNS server, which the board asks during this test; put names into `peer_dns.names`.

    The test is skipped where port 53 cannot be had, as a board asks no other.
    """
    from bridge.errors import UsageError
    from bridge.peers import dns_server

    session = boards_of(request)
    before = session.run(board.net.dns.getdnsserver())
    try:
        for peer in _running(request, dns_server(host_address)):
            session.run(board.net.dns.setdnsserver(host_address))
            yield peer
            if before is not None:
                session.run(board.net.dns.setdnsserver(before))
    except UsageError as error:
        pytest.skip(str(error))
