"""Who encrypts: this computer over the board's TCP, or the board's own module `tls`."""

from __future__ import annotations

from typing import Literal

from bridge.errors import UsageError
from bridge.streams.slots import MOST

#: "host": TLS of this computer, with names (SNI), certificates and records of any size. "board": the module `tls`,
#: which sends no name, checks what `board.tls.cert.verify` says, and is for little data.
Encryption = Literal["host", "board"]

#: Seconds that a client keeps an idle connection: others on the board wait for it meanwhile.
KEPT_IDLE = 5.0


def most_connections(tls: Encryption) -> int:
    """How many connections a client may keep by itself: what the stack serves, but one where the board encrypts, as its
    heap holds no more.

    Raises:
        UsageError: it is neither.
    """
    if tls not in ("host", "board"):
        raise UsageError(f"tls={tls!r} is nobody who could encrypt", remedy='Write "host" or "board".')
    return MOST if tls == "host" else 1
