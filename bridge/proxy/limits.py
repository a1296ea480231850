"""How much a proxy takes, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.streams.connecting import CONNECT_TIMEOUT, SLOT_TIMEOUT


@dataclass(frozen=True)
class Limits:
    """Limits of a proxy; times in seconds."""

    clients: int = 256
    """Clients at once; who comes then is sent away."""
    associations: int = 8
    """UDP associations at once: each is a socket of the board, which lives in its heap."""
    handshake: float = 15.0
    """From the beginning of a connection until its request is there."""
    slot: float = SLOT_TIMEOUT
    """That a request waits while all connections of the board are in use."""
    connect: float = CONNECT_TIMEOUT
    """For name and connection."""
    bind: float = 120.0
    """That BIND waits for its peer."""
    farewell: float = 2.0
    """That a client which was refused has to read why."""
