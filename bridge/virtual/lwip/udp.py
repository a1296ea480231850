"""UDP (app/lwip/core/udp.c): ports, demultiplexing, sending."""

from __future__ import annotations

from collections.abc import Callable

from bridge.virtual.lwip.address import ANY, is_multicast
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import SIZE_PBUF, SIZE_UDP_PCB, UdpPcb
from bridge.virtual.lwip.segment import Datagram
from bridge.virtual.lwip.tcp_core import Memory

#: UDP_LOCAL_PORT_RANGE_START, _END.
PORT_LOW = 4096
PORT_END = 0x7FFF
#: There is neither fragmentation nor reassembly; what does not fit into one frame is lost on the way in.
MAX_PAYLOAD = 1472


class Udp:
    """The UDP of one board.

    Args:
        memory: where pcbs and pbufs are taken from.
        transmit: sends a datagram.
        route: address of the interface that leads to an address, or None.
    """

    def __init__(
        self, memory: Memory, transmit: Callable[[Datagram], None], route: Callable[[int], int | None]
    ) -> None:
        self._memory = memory
        self._transmit = transmit
        self._route = route
        #: Newest first.
        self.pcbs: list[UdpPcb] = []
        #: Called when the set of bound ports changed.
        self.on_changed: Callable[[], None] = lambda: None

    def new(self) -> UdpPcb | None:
        """A fresh pcb, or None when the heap is full."""
        taken = self._memory.take(SIZE_UDP_PCB)
        return None if taken is None else UdpPcb(taken=taken)

    def bind(self, pcb: UdpPcb, ip: int, port: int) -> Err:
        """Give a pcb its local address; port 0 takes the first free one from 4096 on."""
        others = [other for other in self.pcbs if other is not pcb]
        if port and any(p.local_port == port and (ANY in (p.local_ip, ip) or p.local_ip == ip) for p in others):
            return Err.USE
        pcb.local_ip = ip
        if port == 0:
            used = {other.local_port for other in self.pcbs}
            port = next(p for p in range(PORT_LOW, PORT_END) if p not in used)
        pcb.local_port = port
        if pcb not in self.pcbs:
            self.pcbs.insert(0, pcb)
        self.on_changed()
        return Err.OK

    def send(self, pcb: UdpPcb, payload: bytes, ip: int, port: int) -> Err:
        """Send a datagram at once.

        Returns:
            OK; MEM when no pbuf can be had; RTE without a route.
        """
        taken = self._memory.take(SIZE_PBUF + len(payload))
        if taken is None:
            return Err.MEM
        self._memory.give(taken)
        local = self._route(ip)
        if local is None:
            return Err.RTE
        if pcb.local_ip == ANY:
            source = local
        elif pcb.local_ip == local:
            source = pcb.local_ip
        else:
            return Err.VAL
        self._transmit(Datagram(source, pcb.local_port, ip, port, payload))
        return Err.OK

    def remove(self, pcb: UdpPcb) -> None:
        """Close the port and free the pcb."""
        if pcb in self.pcbs:
            self.pcbs.remove(pcb)
        self._memory.give(pcb.taken)
        pcb.taken = 0
        self.on_changed()

    def input(self, datagram: Datagram) -> None:
        """Hand a datagram to the pcb it is for."""
        if len(datagram.data) > MAX_PAYLOAD:
            return
        matching = [p for p in self.pcbs if p.local_port == datagram.target_port and self._hears(p, datagram.target)]
        full = (p for p in matching if p.remote_port == datagram.source_port and p.remote_ip in (ANY, datagram.source))
        pcb = next(full, None) or next((p for p in matching if not p.connected), None)
        if pcb is not None and pcb.recv is not None:
            pcb.recv(pcb.recv_arg, pcb, datagram.data, datagram.source, datagram.source_port)

    @staticmethod
    def _hears(pcb: UdpPcb, target: int) -> bool:
        return pcb.local_ip in (ANY, target) or is_multicast(target)
