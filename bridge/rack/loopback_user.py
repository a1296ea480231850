"""Whose program has made a connection on the loopback. Imported by the keeper: it needs little."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

#: Before an IPv4 address that is used as one of IPv6.
_MAPPED = bytes(10) + b"\xff\xff"


def is_of_this_user(client: tuple[Any, ...], server: tuple[Any, ...]) -> bool:
    """True if a connection was made by this user; also where the system does not tell.

    The system shows a connection whose program has closed it already as root's, so nobody's is root's.

    Args:
        client: address of the client's end, on 127.0.0.1.
        server: address of this end.
    """
    tables = ("/proc/net/tcp", b""), ("/proc/net/tcp6", _MAPPED)
    try:
        for name, before in tables:
            wanted = [_written(before, *client[:2]), _written(before, *server[:2])]
            with open(name, encoding="ascii") as table:
                for line in table:
                    words = line.split()
                    if words[1:3] == wanted:
                        user, inode = int(words[7]), int(words[9])
                        return user == os.getuid() and (user, inode) != (0, 0)
    except FileNotFoundError as error:
        return bool(error.filename == tables[0][0])  # a system without IPv6 has the first alone
    except (OSError, ValueError, IndexError):
        return True
    return False


def _written(before: bytes, host: str, tcp_port: int) -> str:
    """An address as the tables have it: the numbers as they lie in memory."""
    address = before + socket.inet_aton(host)
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(address) // 4}I", address)) + f":{tcp_port:04X}"
