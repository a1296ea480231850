"""Addresses that boards choose for themselves."""

from __future__ import annotations

import ipaddress
import socket

from bridge.virtual import loopback


def test_each_board_gets_a_loopback_address_of_its_own_that_can_be_bound() -> None:
    addresses = [loopback.free_address() for _ in range(20)]
    try:
        if "127.0.0.1" in addresses:  # a system with one loopback address shares it
            assert set(addresses) == {"127.0.0.1"}
        else:
            assert len(set(addresses)) == len(addresses)
        for address in addresses:
            assert ipaddress.IPv4Address(address).is_loopback
            with socket.socket() as server:
                server.bind((address, 0))
    finally:
        for address in addresses:
            loopback.give_back(address)
    loopback.give_back("127.0.0.1")  # giving back twice, or what was never taken, is harmless
