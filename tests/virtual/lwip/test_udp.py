"""UDP ports and datagrams."""

from __future__ import annotations

from bridge.virtual.lwip.address import ANY, from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import UdpPcb
from bridge.virtual.lwip.segment import Datagram
from bridge.virtual.lwip.udp import Udp
from tests.virtual.lwip.bare import FreeMemory

OWN, PEER = from_dotted("10.77.0.2"), from_dotted("10.77.0.1")


def make(memory: FreeMemory | None = None, up: bool = True) -> tuple[Udp, list[Datagram]]:
    sent: list[Datagram] = []
    return Udp(memory or FreeMemory(), sent.append, lambda ip: OWN if up else None), sent


def bound(udp: Udp, ip: int = ANY, port: int = 0) -> UdpPcb:
    pcb = udp.new()
    assert pcb is not None and udp.bind(pcb, ip, port) is Err.OK
    return pcb


def test_ports_are_given_from_4096_on_and_bound_once() -> None:
    udp, _ = make()
    assert [bound(udp).local_port for _ in range(3)] == [4096, 4097, 4098]
    bound(udp, port=5000)
    other = udp.new()
    assert other is not None and udp.bind(other, OWN, 5000) is Err.USE
    first = udp.pcbs[-1]
    udp.remove(first)
    assert bound(udp).local_port == 4096


def test_sending_needs_a_route_an_address_of_ones_own_and_memory() -> None:
    udp, sent = make()
    assert udp.send(bound(udp), b"x", PEER, 9) is Err.OK
    assert sent == [Datagram(OWN, 4096, PEER, 9, b"x")]
    assert udp.send(bound(udp, from_dotted("1.2.3.4"), 77), b"x", PEER, 9) is Err.VAL
    assert make(up=False)[0].send(UdpPcb(), b"x", PEER, 9) is Err.RTE
    assert make(FreeMemory(50))[0].send(UdpPcb(), b"x", PEER, 9) is Err.MEM
    assert make(FreeMemory(0))[0].new() is None


def test_datagrams_go_to_the_port_they_are_for() -> None:
    udp, _ = make()
    got: list[tuple[str, bytes, int, int]] = []
    for name, port in (("a", 5000), ("b", 5001)):
        pcb = bound(udp, port=port)
        pcb.recv_arg = name
        pcb.recv = lambda arg, pcb, data, ip, port: got.append((arg, data, ip, port))
    udp.pcbs[0].remote_ip, udp.pcbs[0].remote_port, udp.pcbs[0].connected = PEER, 53, True
    for port, source, data in (
        (5000, 9, b"1"),
        (5001, 9, b"2"),
        (5001, 53, b"3"),
        (5002, 9, b"4"),
        (5000, 9, b"x" * 1473),
    ):
        udp.input(Datagram(PEER, source, OWN, port, data))
    assert got == [("a", b"1", PEER, 9), ("b", b"3", PEER, 53)]
