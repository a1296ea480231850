"""The seam between a board's stack and the network it is on."""

from __future__ import annotations

from typing import Protocol

from bridge.virtual.lwip.segment import Datagram, Segment


class Station(Protocol):
    """A board's stack as the network sees it."""

    def receive_segment(self, segment: Segment) -> None:
        """A TCP segment arrived now."""

    def receive_datagram(self, datagram: Datagram) -> None:
        """A UDP datagram arrived now."""

    def tcp_listeners(self) -> list[tuple[int, int]]:
        """(address, port) of every listener; address 0 is any."""

    def udp_ports(self) -> list[tuple[int, int]]:
        """(address, port) of every bound UDP pcb."""

    def room_for_connections(self) -> int:
        """How many more incoming connections may be established before SYNs are ignored."""


class Wire(Protocol):
    """The network as one boot of a board sees it. Times are loop times in seconds."""

    def send_segment(self, segment: Segment, at: float) -> None:
        """A TCP segment leaves the board at that time."""

    def send_datagram(self, datagram: Datagram, at: float) -> None:
        """A UDP datagram leaves the board at that time."""

    def changed(self) -> None:
        """Listeners, UDP ports or the room for connections may have changed."""

    def echo_time(self, ip: int) -> float | None:
        """Seconds an ICMP echo to this address takes, or None when nobody answers."""

    def close(self) -> None:
        """The board is gone: peers see resets where the network can show them, or nothing at all."""
