"""What the ways of serving a client share: the board, the limits, and what is told of a client that was served."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bridge.board import Board
from bridge.proxy.credentials import Credentials
from bridge.proxy.limits import Limits
from bridge.streams.names import Names

log = logging.getLogger("bridge.proxy")


@dataclass
class Served:
    """One request of a client, told when it is over."""

    client: str
    """Where the client came from."""
    kind: str
    """ "connect", "bind", "udp" (SOCKS5), "tunnel", "fetch" (HTTP), or "none" if no request came."""
    target: str | None = None
    """Host and port asked for."""
    outcome: str = "served"
    """ "served", or a clause that says why not."""
    to_board: int = 0
    """Bytes carried, of TCP or in datagrams."""
    from_board: int = 0
    """Bytes."""
    seconds: float = 0.0
    """From the beginning of the connection to its end."""


@dataclass
class Service:
    """What clients are served with.

    Args:
        board: whose network it is.
        names: what the board knows of them.
        credentials: that they need; None if none.
        limits: see there.
        told: called with each request that is over.
    """

    board: Board
    names: Names
    credentials: Credentials | None
    limits: Limits
    told: Callable[[Served], None]
    associations: int = 0
    """UDP associations that stand."""


class Unreached(Exception):
    """The board did not do what a client waits for.

    Args:
        cause: why.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
