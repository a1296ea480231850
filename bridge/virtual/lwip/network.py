"""Makes a board's network from its options."""

from __future__ import annotations

import random

from bridge.errors import UsageError
from bridge.virtual.lwip.address import from_dotted, parse
from bridge.virtual.lwip.hostnet import HostNetwork
from bridge.virtual.lwip.interface import Site
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions

#: Either kind of network: `.factory(kernel)` gives one boot its stack, `await .close()` ends it.
Network = HostNetwork | MemoryNetwork


def make_network(options: VirtualOptions, address: str, rng: random.Random) -> Network:
    """The network for a board.

    Args:
        options: of the board; `network`, `gateway`, `dns`, `hosts` and `mac` are read.
        address: the board's own address.
        rng: for whatever the network draws by lot.

    Raises:
        UsageError: an option does not read as what it should be.
    """
    site = read_site(options, address, rng)
    return HostNetwork(site, rng) if options.network == "host" else MemoryNetwork(site)


def read_site(options: VirtualOptions, address: str, rng: random.Random) -> Site:
    """The network's settings; gateway and DNS server are .1 of the board's own /24 unless given."""
    own = _address("address", address)
    first = own & 0xFFFFFF00 | 1
    gateway = _address("gateway", options.gateway) if options.gateway else first
    dns, dns_port, host = gateway, 53, None
    if options.dns:
        text, _, port = options.dns.partition(":")
        dns = _address("dns", text)
        if port and not port.isdecimal():
            raise UsageError(f"dns={options.dns} is not IP or IP:PORT", remedy="Write dns=127.0.0.1:5353.")
        dns_port = int(port) if port else 53
        # Who serves names on the board's own network is a host there.
        host = dns if dns & 0xFFFFFF00 == own & 0xFFFFFF00 else None
    hosts = _hosts(options.hosts)
    return Site(own, gateway=gateway, dns=dns, dns_port=dns_port, hosts=hosts, host=host, mac=_mac(options.mac))


def _address(option: str, text: str) -> int:
    value = parse(text.encode("utf-8", "replace"))
    if value is None or text.count(".") != 3:
        raise UsageError(f"{option}={text} is not an IPv4 address", remedy="Write four numbers, as in 127.0.0.2.")
    return value


def _hosts(text: str | None) -> dict[bytes, int]:
    table = {}
    for entry in filter(None, (part.strip() for part in (text or "").split(","))):
        name, equals, ip = entry.partition("=")
        if not equals or not name:
            raise UsageError(f"hosts entry {entry} is not NAME=IP", remedy="Write hosts=a.test=127.0.0.5,b.test=….")
        try:
            wire_name = name.strip().lower().encode("ascii" if name.isascii() else "idna")
        except UnicodeError:
            raise UsageError(f"hosts: {name} is not a host name", remedy="Use letters, digits, - and dots.") from None
        table[wire_name] = from_dotted_option(ip.strip())
    return table


def from_dotted_option(text: str) -> int:
    """An address of the hosts table.

    Raises:
        UsageError: it is not one.
    """
    try:
        return from_dotted(text)
    except ValueError as error:
        raise UsageError(f"hosts: {error}") from None


def _mac(text: str | None) -> bytes:
    if text is None:
        return Site(0).mac
    try:
        mac = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        mac = b""
    if len(mac) != 6:
        raise UsageError(f"mac={text} is not a MAC address", remedy="Write six hex bytes, as in 5c:cf:7f:12:34:56.")
    return mac
