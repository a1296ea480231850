"""Servers on this computer for the test's board, each with a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from bridge.pytest_plugin.fixtures import boards_of

if TYPE_CHECKING:
    from bridge import Board
    from bridge.peers import DnsPeer

T = TypeVar("T")

#: Seconds in which a board must answer after a test.
_ANSWER = 6.0


@contextmanager
def _running(request: pytest.FixtureRequest, server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    session = boards_of(request)
    peer = session.run(server.__aenter__())
    try:
        yield peer
    finally:
        session.run(server.__aexit__(None, None, None))


def _peer(name: str, server: str, what: str) -> Any:
    """A fixture.

    Args:
        name: its name.
        server: what runs, by its name in `bridge.peers`.
        what: is told by `pytest --fixtures`.
    """

    def peer(request: pytest.FixtureRequest, host_address: str) -> Iterator[Any]:
        from bridge import peers

        with _running(request, getattr(peers, server)(host_address)) as running:
            yield running

    peer.__doc__ = what
    return pytest.fixture(name=name)(peer)


peer_echo = _peer("peer_echo", "echo_server", "A TCP server that sends back what comes.")
peer_slow = _peer("peer_slow", "slow_server", "A TCP server that echoes 1 000 bytes a second, and takes no more.")
peer_resetting = _peer(
    "peer_resetting", "resetting_server", "A TCP server that resets each connection when its first bytes have come."
)
peer_half_closing = _peer(
    "peer_half_closing", "half_closing_server", "A TCP server that says `bye`, ends its own direction, and reads on."
)
peer_udp = _peer("peer_udp", "udp_echo_server", "A UDP server that sends each datagram back.")
peer_tls = _peer(
    "peer_tls", "tls_server",
    "A TLS server that echoes; `await board.tls.cert.verify(peer_tls.authority)` makes the board believe it.",
)  # fmt: skip


@pytest.fixture
def peer_dns(request: pytest.FixtureRequest, board: Board, host_address: str) -> Iterator[DnsPeer]:
    """A DNS server, which the board asks during this test; put names into `peer_dns.names`.

    The test is skipped where port 53 cannot be had, as a board asks no other.
    """
    from bridge.errors import UsageError
    from bridge.peers import dns_server

    session = boards_of(request)
    before = session.run(board.net.dns.getdnsserver())
    with ExitStack() as stack:
        try:
            peer = stack.enter_context(_running(request, dns_server(host_address)))
        except UsageError as error:
            pytest.skip(str(error))
        session.run(board.net.dns.setdnsserver(host_address))
        yield peer
        if before is not None:
            session.run(_put_back(board, before))


async def _put_back(board: Board, server: str) -> None:
    """Let a board ask another DNS server again; one that does not answer is found out by who looks at it next."""
    import asyncio

    from bridge.errors import BridgeError

    with suppress(BridgeError, TimeoutError):
        async with asyncio.timeout(_ANSWER):
            await board.net.dns.setdnsserver(server)
