"""The network's own name server: answers for the names of the board's `hosts` table."""

from __future__ import annotations

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.dns import PORT
from bridge.virtual.lwip.segment import Datagram


def answer_from_table(datagram: Datagram, hosts: dict[bytes, int]) -> Datagram | None:
    """The answer to a DNS query for a name of the table, or None when it is something else."""
    if datagram.target_port != PORT or not hosts:
        return None
    name = dns_message.asked_name(datagram.data)
    address = hosts.get(name.lower()) if name else None
    if address is None:
        return None
    data = dns_message.respond(datagram.data, [address])
    return Datagram(datagram.target, PORT, datagram.source, datagram.source_port, data)
