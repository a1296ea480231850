"""Acknowledgements and data of one incoming segment (`tcp_receive` in app/lwip/core/tcp_in.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bridge.virtual.lwip.pcb import State, TcpPcb, Unacked
from bridge.virtual.lwip.segment import Flag, Segment, between, diff
from bridge.virtual.lwip.tcp_core import TcpCore
from bridge.virtual.lwip.tcp_out import fast_retransmit


class Arriving(Protocol):
    """Where the results go."""

    segment: Segment
    got_fin: bool
    data: list[bytes]


def receive(core: TcpCore, pcb: TcpPcb, arrival: Arriving) -> None:
    """Process the acknowledgement, then the data, of a segment of an open connection."""
    segment = arrival.segment
    if segment.flags & Flag.ACK:
        _acknowledgement(core, pcb, segment)
    if segment.length > 0:
        _payload(core, pcb, arrival)
    elif not between(segment.seq, pcb.rcv_nxt, pcb.rcv_nxt + pcb.rcv_wnd - 1):
        pcb.ack_now = True


def _acknowledgement(core: TcpCore, pcb: TcpPcb, segment: Segment) -> None:
    right_edge = pcb.snd_wnd + pcb.snd_wl2
    if (
        diff(pcb.snd_wl1, segment.seq) < 0
        or (pcb.snd_wl1 == segment.seq and diff(pcb.snd_wl2, segment.ack) < 0)
        or (pcb.snd_wl2 == segment.ack and segment.window > pcb.snd_wnd)
    ):
        pcb.snd_wnd = segment.window
        pcb.snd_wl1 = segment.seq
        pcb.snd_wl2 = segment.ack
        if pcb.snd_wnd > 0:
            pcb.persist_backoff = 0
    if diff(segment.ack, pcb.lastack) <= 0:
        pcb.acked = 0
        _maybe_duplicate(pcb, segment, right_edge)
    elif between(segment.ack, pcb.lastack + 1, pcb.snd_nxt):
        _new_data_acked(core, pcb, segment.ack)
    else:
        pcb.acked = 0
    # After a retransmission segments that were sent once are on the unsent queue.
    while pcb.unsent and between(segment.ack, pcb.unsent[0].seqno + pcb.unsent[0].tcplen, pcb.snd_nxt):
        _retire(core, pcb, pcb.unsent.pop(0))
    if pcb.rttest and diff(pcb.rtseq, segment.ack) < 0:
        _measure_round_trip(core, pcb)


def _maybe_duplicate(pcb: TcpPcb, segment: Segment, right_edge: int) -> None:
    duplicate = (
        segment.length == 0
        and pcb.snd_wl2 + pcb.snd_wnd == right_edge
        and pcb.rtime >= 0
        and pcb.lastack == segment.ack
    )
    if not duplicate:
        pcb.dupacks = 0
        return
    pcb.dupacks = min(pcb.dupacks + 1, 255)
    if pcb.dupacks > 3:
        if pcb.cwnd + pcb.mss <= 0xFFFF:
            pcb.cwnd += pcb.mss
    elif pcb.dupacks == 3:
        fast_retransmit(pcb)


def _new_data_acked(core: TcpCore, pcb: TcpPcb, ackno: int) -> None:
    if pcb.in_fast_retransmit:
        pcb.in_fast_retransmit = False
        pcb.cwnd = pcb.ssthresh
    pcb.nrtx = 0
    pcb.rto = (pcb.sa >> 3) + pcb.sv
    pcb.acked = diff(ackno, pcb.lastack)
    pcb.snd_buf += pcb.acked
    pcb.dupacks = 0
    pcb.lastack = ackno
    if pcb.state >= State.ESTABLISHED:
        grown = pcb.cwnd + (pcb.mss if pcb.cwnd < pcb.ssthresh else pcb.mss * pcb.mss // pcb.cwnd)
        if grown <= 0xFFFF:
            pcb.cwnd = grown
    while pcb.unacked and diff(pcb.unacked[0].seqno + pcb.unacked[0].tcplen, ackno) <= 0:
        _retire(core, pcb, pcb.unacked.pop(0))
    pcb.rtime = 0 if pcb.unacked else -1


def _retire(core: TcpCore, pcb: TcpPcb, segment: Unacked) -> None:
    """An acknowledged segment leaves the queue; the acknowledgement of a FIN makes no sent event."""
    if pcb.acked and segment.flags & Flag.FIN:
        pcb.acked -= 1
    pcb.snd_queuelen -= 1
    core.free_segments([segment])


def _measure_round_trip(core: TcpCore, pcb: TcpPcb) -> None:
    """Van Jacobson's estimate, in slow ticks."""
    error = core.ticks - pcb.rttest - (pcb.sa >> 3)
    pcb.sa += error
    pcb.sv += abs(error) - (pcb.sv >> 2)
    pcb.rto = (pcb.sa >> 3) + pcb.sv
    pcb.rttest = 0


def _payload(core: TcpCore, pcb: TcpPcb, arrival: Arriving) -> None:
    segment = arrival.segment
    if between(pcb.rcv_nxt, segment.seq + 1, segment.seq + segment.length - 1):
        segment = replace(segment, seq=pcb.rcv_nxt, data=segment.data[diff(pcb.rcv_nxt, segment.seq) :])
    elif diff(segment.seq, pcb.rcv_nxt) < 0:
        pcb.ack_now = True
    if not between(segment.seq, pcb.rcv_nxt, pcb.rcv_nxt + pcb.rcv_wnd - 1):
        core.send_ack(pcb)
        return
    if segment.seq != pcb.rcv_nxt:
        core.send_ack(pcb)
        _keep_for_later(pcb, segment)
        return
    if segment.length > pcb.rcv_wnd:
        segment = replace(segment, data=segment.data[: pcb.rcv_wnd], flags=segment.flags & ~Flag.FIN)
    _take(core, pcb, arrival, segment)
    while pcb.ooseq and diff(pcb.ooseq[0].seq, pcb.rcv_nxt) <= 0:
        later = pcb.ooseq.pop(0)
        skip = diff(pcb.rcv_nxt, later.seq)
        if skip < later.length:
            _take(core, pcb, arrival, replace(later, seq=pcb.rcv_nxt, data=later.data[skip:]))
    _acknowledge(pcb)


def _take(core: TcpCore, pcb: TcpPcb, arrival: Arriving, segment: Segment) -> None:
    pcb.rcv_nxt = (pcb.rcv_nxt + segment.length) & 0xFFFFFFFF
    pcb.rcv_wnd -= segment.length
    update_announced_window(pcb)
    if segment.data:
        arrival.data.append(segment.data)
    if segment.flags & Flag.FIN:
        arrival.got_fin = True
        pcb.ooseq.clear()


def _keep_for_later(pcb: TcpPcb, segment: Segment) -> None:
    """Queue a segment that came before its turn, sorted by sequence number."""
    if any(other.seq == segment.seq and other.length >= segment.length for other in pcb.ooseq):
        return
    pcb.ooseq = sorted(
        [other for other in pcb.ooseq if other.seq != segment.seq] + [segment],
        key=lambda s: diff(s.seq, pcb.rcv_nxt),
    )


def _acknowledge(pcb: TcpPcb) -> None:
    """Every second segment is acknowledged at once, the others by the fast timer (`tcp_ack`)."""
    if pcb.ack_delay:
        pcb.ack_delay = False
        pcb.ack_now = True
    else:
        pcb.ack_delay = True


def update_announced_window(pcb: TcpPcb) -> int:
    """Work out the window to announce; returns by how much it would grow (`tcp_update_rcv_ann_wnd`)."""
    new_edge = (pcb.rcv_nxt + pcb.rcv_wnd) & 0xFFFFFFFF
    if diff(new_edge, pcb.rcv_ann_right_edge + min(2920, pcb.mss)) >= 0:
        pcb.rcv_ann_wnd = pcb.rcv_wnd
        return diff(new_edge, pcb.rcv_ann_right_edge)
    pcb.rcv_ann_wnd = max(0, diff(pcb.rcv_ann_right_edge, pcb.rcv_nxt))
    return 0
