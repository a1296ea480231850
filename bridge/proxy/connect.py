"""A connection of the board for a client, and the bytes between the two."""

from __future__ import annotations

import asyncio

from bridge.errors import BridgeError, UsageError
from bridge.proxy.client import Client
from bridge.proxy.serving import Served, Service, Unreached
from bridge.streams.relay import Relayed, relay

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(service: Service, client: Client, host: str, tcp_port: int) -> Stream:
    """Connect the board for a client, as long as the client is there.

    Args:
        service, client: see there.
        host: address, or name that the board resolves.
        tcp_port: where.

    Raises:
        ClientGone: the client went meanwhile; its place is free again.
        Unreached: there is no connection.
    """
    try:
        if not 0 < tcp_port < 65_536:
            raise UsageError(f"{tcp_port} is no port to connect to")
        return await client.while_there(_open(service, host, tcp_port), abandon)
    except (OSError, BridgeError) as error:
        raise Unreached(error) from error


async def _open(service: Service, host: str, tcp_port: int) -> Stream:
    limits = service.limits
    # A name that nobody knows takes its time, and is not to take a place from others meanwhile.
    address = await service.names.address(host, limits.connect)
    return await service.board.open_connection(address, tcp_port, timeout=limits.connect, slot_timeout=limits.slot)


def abandon(stream: Stream) -> None:
    """Let a connection go that nobody is there for any more."""
    stream[1].transport.abort()


async def carry(local: Stream, board: Stream, served: Served) -> None:
    """Carry bytes between a client and a connection of the board until both have ended.

    Args:
        local: the client, which knows that it is connected.
        board: connected.
        served: gets how much was carried, also if a connection breaks.

    Raises:
        OSError: a connection broke.
    """
    done = Relayed()
    try:
        await relay(local, board, done=done)
    finally:
        served.to_board += done.to_board
        served.from_board += done.from_board
