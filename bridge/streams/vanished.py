"""Whether a program of this computer has closed a connection altogether, or only its sending side.

Both send the same FIN, so a peer far away cannot be told apart. Linux says of the connections of this computer which
of them still belong to a program (`/proc/net/tcp`, where a socket that nobody holds has the inode 0).
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from pathlib import Path

_TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
Address = tuple[str, int]


def vanished(writer: asyncio.StreamWriter) -> bool | None:
    """True if no program holds the other end any more, False if one does, None if that cannot be known.

    Args:
        writer: of a connection whose peer has sent its end.
    """
    own, peer = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    if not isinstance(own, tuple) or not isinstance(peer, tuple):
        return None
    version = ipaddress.ip_address(own[0].partition("%")[0]).version
    try:
        table = _TABLES[version].read_text(encoding="ascii")
    except OSError:  # no Linux
        return None
    return owned_in(table, own[:2], peer[:2])


def owned_in(table: str, own: Address, peer: Address) -> bool | None:
    """What `vanished` returns, read from the table of the system.

    Args:
        table: text of `/proc/net/tcp` or `/proc/net/tcp6`.
        own, peer: addresses of the connection's ends.
    """
    ours, theirs = spelled(own), spelled(peer)
    seen = False
    for line in table.splitlines()[1:]:
        words = line.split()
        if words[1:3] == [theirs, ours]:
            return words[9] == "0"
        seen = seen or words[1:3] == [ours, theirs]
    # Ours is there, and its other end on this very computer is not: the system has forgotten it.
    return True if seen and own[0] == peer[0] else None


def spelled(address: Address) -> str:
    """An address as the tables have it: words of the machine's byte order in hexadecimal digits."""
    packed = ipaddress.ip_address(address[0].partition("%")[0]).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{address[1]:04X}"
