"""The board's place on its network: what DHCP would tell it, and the station interface (`netif`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.virtual.lwip.address import ANY, from_dotted


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
