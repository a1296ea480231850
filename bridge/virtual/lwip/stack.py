"""The network stack of one boot of a board: interface, TCP, UDP, resolver and their timers on the kernel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.dns import Resolver
from bridge.virtual.lwip.igmp import Groups
from bridge.virtual.lwip.interface import Interface, Site
from bridge.virtual.lwip.pcb import MEMP_NUM_TCP_PCB
from bridge.virtual.lwip.segment import Datagram, Segment
from bridge.virtual.lwip.station import Station
from bridge.virtual.lwip.tcp import Tcp
from bridge.virtual.lwip.tcp_in import tcp_input
from bridge.virtual.lwip.tcp_timers import fast_timer, slow_timer
from bridge.virtual.lwip.timeouts import DNS_TICK, TCP_TICK, Ticker
from bridge.virtual.lwip.udp import Udp
from bridge.virtual.lwip.wire import Wire
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap


class HeapMemory:
    """The kernel's heap behind `tcp_core.Memory`."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def take(self, size: int) -> int | None:
        try:
            return self._kernel.heap.claim(size)
        except OutOfHeap:
            return None

    def give(self, taken: int) -> None:
        if taken:
            self._kernel.heap.release(taken)


class NetworkStack:
    """What the firmware's modules use.

    Args:
        kernel: the boot this stack belongs to.
        site: the network's settings.
        wire: made with this stack; carries what it sends.
    """

    def __init__(self, kernel: Kernel, site: Site, wire: Callable[[NetworkStack], Wire]) -> None:
        self._kernel = kernel
        self.site = site
        self.interface = Interface(site.mac)
        memory = HeapMemory(kernel)
        self.tcp = Tcp(memory, self._send_segment, self.route, kernel.random)
        self.udp = Udp(memory, self._send_datagram, self.route)
        self.dns = Resolver(self.udp, kernel.random)
        self.groups = Groups(memory, lambda: self.interface.address)
        self.wire = wire(self)
        self._fast_ticks = 0
        now = kernel.cpu.now
        self._tcp_ticker = Ticker(now, kernel.after, TCP_TICK, self._tcp_tick)
        self._dns_ticker = Ticker(now, kernel.after, DNS_TICK, self.dns.tick)
        self.tcp.on_registered = self._tcp_ticker.need
        self.dns.on_needed = self._dns_ticker.need
        self.tcp.on_changed = self.udp.on_changed = self.groups.on_changed = self.wire.changed
        kernel.on_reset(self.wire.close)
        self.station = Station(kernel, self)

    # --- for modules ---

    def bring_up(self, address: int, netmask: int, gateway: int, dns: int = ANY, dhcp_server: int = ANY) -> None:
        """The station got its addresses."""
        self.interface.configure(address, netmask, gateway, dhcp_server)
        self.dns.set_server(0, dns)
        self.wire.changed()

    def bring_down(self) -> None:
        """The station lost its association. Connections stay as they are; nothing gets through."""
        self.interface.down()
        self.wire.changed()

    def route(self, _ip: int) -> int | None:
        """The station's address when it is up: whatever is not local goes to the gateway."""
        return self.interface.address if self.interface.up else None

    # --- for the network ---

    def receive_segment(self, segment: Segment) -> None:
        self._kernel.event(partial(self._take_segment, segment))

    def receive_datagram(self, datagram: Datagram) -> None:
        self._kernel.event(partial(self._take_datagram, datagram))

    def tcp_listeners(self) -> list[tuple[int, int]]:
        return [(listener.local_ip, listener.local_port) for listener in self.tcp.listening]

    def udp_ports(self) -> list[tuple[int, int]]:
        return [(pcb.local_ip, pcb.local_port) for pcb in self.udp.pcbs]

    def room_for_connections(self) -> int:
        established = self.tcp.established()
        # C compares for equality: a board with more outgoing connections than that accepts again.
        return MEMP_NUM_TCP_PCB - established if established <= MEMP_NUM_TCP_PCB else MEMP_NUM_TCP_PCB

    # --- inside ---

    def _take_segment(self, segment: Segment) -> None:
        if self.interface.up and segment.target == self.interface.address:
            tcp_input(self.tcp, segment)

    def _take_datagram(self, datagram: Datagram) -> None:
        if self.interface.up and self.groups.hears(datagram.target):
            self.udp.input(datagram)

    def _send_segment(self, segment: Segment) -> None:
        if self.interface.up:
            self.wire.send_segment(segment, self._kernel.cpu.now())

    def _send_datagram(self, datagram: Datagram) -> None:
        if self.interface.up:
            self.wire.send_datagram(datagram, self._kernel.cpu.now())

    def _tcp_tick(self) -> bool:
        fast_timer(self.tcp)
        self._fast_ticks += 1
        if self._fast_ticks & 1:
            slow_timer(self.tcp)
        return bool(self.tcp.active or self.tcp.time_wait)
