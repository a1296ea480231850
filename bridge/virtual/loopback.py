"""Addresses of their own for virtual boards, on the loopback network."""

from __future__ import annotations

import random
import socket

#: What is left to boards that nobody gave an address: 127.64.0.0 to 127.191.255.255, clear of what people type.
_FIRST, _LAST = 64, 191

_taken: set[str] = set()


def free_address() -> str:
    """A loopback address that no other board of this process has, and hardly one of another process.

    Some systems have only 127.0.0.1 (macOS without aliases); then it is that, and boards share their TCP ports.
    """
    chance = random.SystemRandom()
    for _ in range(100):
        address = f"127.{chance.randint(_FIRST, _LAST)}.{chance.randint(0, 255)}.{chance.randint(2, 254)}"
        if address in _taken:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                break
        _taken.add(address)
        return address
    return "127.0.0.1"


def give_back(address: str) -> None:
    """The board is gone; its address may be another's."""
    _taken.discard(address)
