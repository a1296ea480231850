"""The network stack of one boot of a board: interface, TCP, UDP, resolver and their timers on the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bridge.virtual.lwip.address import ANY, from_dotted
from bridge.virtual.lwip.dns import Resolver
from bridge.virtual.lwip.pcb import MEMP_NUM_TCP_PCB
from bridge.virtual.lwip.segment import Datagram, Segment
from bridge.virtual.lwip.tcp import Tcp
from bridge.virtual.lwip.tcp_in import tcp_input
from bridge.virtual.lwip.tcp_timers import fast_timer, slow_timer
from bridge.virtual.lwip.timeouts import DNS_TICK, TCP_TICK, Ticker
from bridge.virtual.lwip.udp import Udp
from bridge.virtual.lwip.wire import Wire
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap


@dataclass(frozen=True)
class Site:
    """What the access point's DHCP server would tell the board, and what the network answers by itself.

    Args:
        address, netmask, gateway, dns: as ints.
        dns_port: UDP port of the host's DNS server, in place of 53.
        hosts: names the network resolves by itself, to addresses.
        host: the address as which the host's own 127.0.0.1 appears to the board, or None for just that.
        mac: the station's MAC address, 6 bytes.
    """

    address: int
    netmask: int = from_dotted("255.255.255.0")
    gateway: int = ANY
    dns: int = ANY
    dns_port: int = 53
    hosts: dict[bytes, int] = field(default_factory=dict)
    host: int | None = None
    mac: bytes = b"\x5c\xcf\x7f\xab\xcd\xef"


class Interface:
    """The station interface (`netif`)."""

    def __init__(self, mac: bytes) -> None:
        self.mac = mac
        self.address = ANY
        self.netmask = ANY
        self.gateway = ANY
        #: Who gave it its address, or ANY when it was set by hand.
        self.dhcp_server = ANY
        self.up = False

    def configure(self, address: int, netmask: int, gateway: int, dhcp_server: int = ANY) -> None:
        """Give it addresses and bring it up."""
        self.address, self.netmask, self.gateway = address, netmask, gateway
        self.dhcp_server = dhcp_server
        self.up = address != ANY

    def down(self) -> None:
        """Lose the association: no route, no addresses."""
        self.address = self.netmask = self.gateway = self.dhcp_server = ANY
        self.up = False


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
        self.wire = wire(self)
        self.tcp = Tcp(memory, self._send_segment, self.route, kernel.random)
        self.udp = Udp(memory, self._send_datagram, self.route)
        self.dns = Resolver(self.udp, kernel.random)
        self._fast_ticks = 0
        now = kernel.cpu.now
        self._tcp_ticker = Ticker(now, kernel.after, TCP_TICK, self._tcp_tick)
        self._dns_ticker = Ticker(now, kernel.after, DNS_TICK, self.dns.tick)
        self.tcp.on_registered = self._tcp_ticker.need
        self.dns.on_needed = self._dns_ticker.need
        self.tcp.on_changed = self.udp.on_changed = self.wire.changed
        kernel.on_reset(self.wire.close)
        if kernel.options.wifi == "up":
            self.bring_up(site.address, site.netmask, site.gateway, site.dns)

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
        if self.interface.up:
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
