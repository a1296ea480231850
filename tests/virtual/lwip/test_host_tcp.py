"""The host's side of a connection; how connections behave is in test_hostnet.py."""

from __future__ import annotations

import asyncio
import socket

from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.host_tcp import HostConnection, address_of, connect_for
from bridge.virtual.lwip.peer import Peer, PeerState
from bridge.virtual.lwip.segment import Flag, Segment

BOARD, PEER = from_dotted("127.210.9.2"), from_dotted("127.210.9.1")


class Wire:
    """Keeps what goes to the board."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.sent: list[Segment] = []
        self.forgotten: list[Peer] = []
        self.changed = asyncio.Event()

    def to_board(self, segment: Segment) -> None:
        self.sent.append(segment)
        self.changed.set()

    def forget(self, peer: Peer) -> None:
        self.forgotten.append(peer)


def syn(port: int) -> Segment:
    return Segment(BOARD, 5000, PEER, port, 100, 0, Flag.SYN, 5840, mss=1460)


def test_a_syn_of_the_board_becomes_a_connection_of_the_host() -> None:
    async def main() -> None:
        wire = Wire()
        with socket.socket() as listening:
            listening.bind(("127.210.9.1", 0))
            listening.listen()
            listening.setblocking(False)
            connection = connect_for(wire, syn(listening.getsockname()[1]))
            connection.connect(listening.getsockname())
            accepted, name = await wire.loop.sock_accept(listening)
            assert name[0] == "127.210.9.2"
            await wire.changed.wait()
            assert wire.sent[0].flags == Flag.SYN | Flag.ACK and wire.sent[0].ack == 101
            connection.vanish()
            accepted.close()
        assert wire.forgotten == [connection.peer]

    asyncio.run(main())


def test_a_refusal_of_the_host_is_a_reset_for_the_board() -> None:
    async def main() -> None:
        wire = Wire()
        with socket.socket() as sock:
            sock.bind(("127.210.9.1", 0))
            name = sock.getsockname()
        connection = connect_for(wire, syn(name[1]))
        connection.connect(name)
        await wire.changed.wait()
        assert wire.sent[0].flags == Flag.RST | Flag.ACK and connection.peer.state is PeerState.CLOSED

    asyncio.run(main())


def test_vanishing_twice_does_no_harm() -> None:
    async def main() -> None:
        wire = Wire()
        connection = HostConnection(wire, socket.socket(), (PEER, 1), (BOARD, 2))
        connection.vanish()
        connection.vanish()
        assert len(wire.forgotten) == 1

    asyncio.run(main())


def test_addresses_become_numbers() -> None:
    assert address_of(("127.0.0.5", 80)) == (0x7F000005, 80)
