"""What all parts of the TCP model share: the lists of pcbs, their memory, and the way out to the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import (
    SIZE_LISTEN_PCB,
    SIZE_PBUF,
    SIZE_TCP_PCB,
    SIZE_TCP_SEG,
    ListenPcb,
    State,
    TcpPcb,
    Unacked,
)
from bridge.virtual.lwip.segment import Flag, Segment


class Memory(Protocol):
    """The chip's heap as C sees it."""

    def take(self, size: int) -> int | None:
        """Take a block; returns what it really took, or None when it does not fit."""

    def give(self, taken: int) -> None:
        """Give a block back."""


class TcpCore:
    """The pcb lists (newest first, as `TCP_REG` puts them) and what happens to pcbs wherever they are.

    Args:
        memory: where pcbs, segments and pbufs are taken from.
        transmit: sends a segment; drops it when the interface is down.
        route: address of the interface that leads to an address, or None when there is none.
    """

    def __init__(self, memory: Memory, transmit: Callable[[Segment], None], route: Callable[[int], int | None]) -> None:
        self.memory = memory
        self.transmit = transmit
        self.route = route
        #: Slow timer ticks since boot.
        self.ticks = 0
        self.bound: list[TcpPcb] = []
        self.listening: list[ListenPcb] = []
        self.active: list[TcpPcb] = []
        self.time_wait: list[TcpPcb] = []
        #: The pcb whose segment is being processed: output for it waits until that is done.
        self.input_pcb: TcpPcb | None = None
        #: Called when the active or time-wait list gets a pcb (`tcp_timer_needed`).
        self.on_registered: Callable[[], None] = lambda: None
        #: Called when the number of established connections or the listeners may have changed.
        self.on_changed: Callable[[], None] = lambda: None

    # --- memory ---

    def take_pcb(self) -> int | None:
        return self.memory.take(SIZE_TCP_PCB)

    def take_listen(self) -> int | None:
        return self.memory.take(SIZE_LISTEN_PCB)

    def take_segment(self, room: int) -> tuple[int, ...] | None:
        """Heap for a segment with `room` bytes of payload and options: a pbuf and a `tcp_seg`."""
        pbuf = self.memory.take(SIZE_PBUF + room)
        if pbuf is None:
            return None
        segment = self.memory.take(SIZE_TCP_SEG)
        if segment is None:
            self.memory.give(pbuf)
            return None
        return pbuf, segment

    def free_segments(self, segments: Iterable[Unacked]) -> None:
        for segment in segments:
            for taken in segment.taken:
                self.memory.give(taken)
            segment.taken = ()

    def free_pcb(self, pcb: TcpPcb | ListenPcb) -> None:
        """As `memp_free`: the pcb must not be used any more."""
        self.memory.give(pcb.taken)
        pcb.taken = 0
        pcb.state = State.CLOSED

    # --- lists ---

    def register_active(self, pcb: TcpPcb) -> None:
        self.active.insert(0, pcb)
        self.on_registered()

    def remove_active(self, pcb: TcpPcb) -> None:
        if pcb in self.active:
            self.active.remove(pcb)
        self.on_changed()

    def to_time_wait(self, pcb: TcpPcb) -> None:
        """Move an active pcb to TIME_WAIT; its timer keeps the time of the last segment."""
        self.remove_active(pcb)
        pcb.state = State.TIME_WAIT
        self.time_wait.insert(0, pcb)
        self.on_registered()

    def established(self) -> int:
        """How many connections are ESTABLISHED; exactly MEMP_NUM_TCP_PCB of them make SYNs be ignored."""
        return sum(1 for pcb in self.active if pcb.state is State.ESTABLISHED)

    def purge(self, pcb: TcpPcb) -> None:
        """As `tcp_pcb_purge`: free everything queued."""
        if pcb.state in (State.CLOSED, State.TIME_WAIT, State.LISTEN):
            return
        pcb.ooseq.clear()
        pcb.rtime = -1
        self.drop_queues(pcb)
        pcb.unsent_oversize = 0

    def drop_queues(self, pcb: TcpPcb) -> None:
        self.free_segments(pcb.unsent)
        self.free_segments(pcb.unacked)
        pcb.unsent.clear()
        pcb.unacked.clear()

    def remove(self, pcb: TcpPcb) -> None:
        """As `tcp_pcb_remove` from the active list: a delayed acknowledgement leaves first."""
        self.remove_active(pcb)
        self.purge(pcb)
        if pcb.state is not State.TIME_WAIT and pcb.ack_delay:
            pcb.ack_now = True
            if self.input_pcb is not pcb:
                self.send_ack(pcb)
        pcb.state = State.CLOSED

    # --- single segments ---

    def send_ack(self, pcb: TcpPcb) -> None:
        """As `tcp_send_empty_ack`."""
        pcb.ack_delay = pcb.ack_now = False
        self.send(pcb, pcb.snd_nxt, Flag.ACK)

    def send(self, pcb: TcpPcb, seqno: int, flags: Flag, data: bytes = b"", mss: int | None = None) -> None:
        """Send a segment of a connection with the window of now."""
        pcb.rcv_ann_right_edge = (pcb.rcv_nxt + pcb.rcv_ann_wnd) & 0xFFFFFFFF
        self.transmit(
            Segment(
                source=pcb.local_ip,
                source_port=pcb.local_port,
                target=pcb.remote_ip,
                target_port=pcb.remote_port,
                seq=seqno & 0xFFFFFFFF,
                ack=pcb.rcv_nxt,
                flags=flags,
                window=pcb.rcv_ann_wnd,
                data=data,
                mss=mss,
            )
        )

    def reset_peer(self, pcb: TcpPcb) -> None:
        """Send an RST for a connection (`tcp_rst` with the pcb's numbers)."""
        self.send(pcb, pcb.snd_nxt, Flag.RST | Flag.ACK)

    def reset_sender(self, segment: Segment) -> None:
        """Answer a segment that belongs to no connection with an RST."""
        self.transmit(
            Segment(
                source=segment.target,
                source_port=segment.target_port,
                target=segment.source,
                target_port=segment.source_port,
                seq=segment.ack,
                ack=(segment.seq + segment.length) & 0xFFFFFFFF,
                flags=Flag.RST | Flag.ACK,
                window=0,
            )
        )

    # --- events of the application ---

    def report_error(self, pcb: TcpPcb, err: Err) -> None:
        """As `TCP_EVENT_ERR`."""
        if pcb.errf is not None:
            pcb.errf(pcb.callback_arg, err)
