"""Servers on this computer for a board to talk to: echo, slow, resetting, half-closing, TLS, UDP and DNS.

    async with echo_server(await host_address(board)) as peer:
        reader, writer = await board.open_connection(peer.host, peer.port)

Each is an asynchronous context manager that gives a `Peer` (`UdpPeer`, `TlsPeer`, `DnsPeer`), with a port of its own.
"""

from __future__ import annotations

from bridge.peers.address import board_address, host_address
from bridge.peers.dns import DnsPeer, dns_server
from bridge.peers.tcp import Peer, echo, echo_server, half_closing_server, resetting_server, slow_server, tcp_server
from bridge.peers.tls import TlsPeer, tls_server
from bridge.peers.udp import Datagrams, UdpPeer, udp_echo_server, udp_socket

__all__ = [
    "Datagrams", "DnsPeer", "Peer", "TlsPeer", "UdpPeer", "board_address", "dns_server", "echo", "echo_server",
    "half_closing_server", "host_address", "resetting_server", "slow_server", "tcp_server", "tls_server",
    "udp_echo_server", "udp_socket",
]  # fmt: skip
