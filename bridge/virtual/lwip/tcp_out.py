"""The sending half of TCP (app/lwip/core/tcp_out.c): queueing, Nagle, windows, retransmission."""

from __future__ import annotations

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_MSS, TCP_SND_QUEUELEN, State, TcpPcb, Unacked
from bridge.virtual.lwip.segment import Flag, diff
from bridge.virtual.lwip.tcp_core import TcpCore

_MAY_WRITE = (State.ESTABLISHED, State.CLOSE_WAIT, State.SYN_SENT, State.SYN_RCVD)


def write(core: TcpCore, pcb: TcpPcb, payload: bytes) -> Err:
    """Queue bytes for sending, all or none; nothing leaves before `output` (`tcp_write`).

    Every segment takes a whole pbuf of `mss` bytes (LWIP_NETIF_TX_SINGLE_PBUF), into which later small writes
    are copied as long as it is unsent.

    Args:
        payload: the bytes; C takes the length modulo 65536.

    Returns:
        OK, CONN in a state that cannot send, MEM when it does not fit into 2920 bytes, 8 pbufs or the heap.
    """
    data = payload[: len(payload) & 0xFFFF]
    if pcb.state not in _MAY_WRITE:
        return Err.CONN
    if not data:
        return Err.OK
    if len(data) > pcb.snd_buf or pcb.snd_queuelen >= TCP_SND_QUEUELEN:
        pcb.nagle_mem_err = True
        return Err.MEM
    position = min(pcb.unsent_oversize, len(data)) if pcb.unsent else 0
    oversize = pcb.unsent_oversize - position
    queue: list[Unacked] = []
    at = position
    while at < len(data):
        piece = data[at : at + pcb.mss]
        room = max(pcb.mss, len(piece))
        full = pcb.snd_queuelen + len(queue) + 1 > TCP_SND_QUEUELEN
        taken = None if full else core.take_segment(room)
        if taken is None:
            core.free_segments(queue)
            pcb.nagle_mem_err = True
            return Err.MEM
        queue.append(Unacked((pcb.snd_lbb + at) & 0xFFFFFFFF, bytearray(piece), Flag(0), taken))
        oversize = room - len(piece)
        at += len(piece)
    if position:
        pcb.unsent[-1].data += data[:position]
    pcb.unsent_oversize = oversize
    pcb.unsent += queue
    pcb.snd_lbb = (pcb.snd_lbb + len(data)) & 0xFFFFFFFF
    pcb.snd_buf -= len(data)
    pcb.snd_queuelen += len(queue)
    pcb.unsent[-1].flags |= Flag.PSH
    return Err.OK


def enqueue_flags(core: TcpCore, pcb: TcpPcb, flags: Flag) -> Err:
    """Queue a SYN or FIN of its own (`tcp_enqueue_flags`)."""
    if pcb.snd_queuelen >= TCP_SND_QUEUELEN:
        pcb.nagle_mem_err = True
        return Err.MEM
    if pcb.snd_buf == 0:
        return Err.MEM
    taken = core.take_segment(4 if flags & Flag.SYN else 0)
    if taken is None:
        pcb.nagle_mem_err = True
        return Err.MEM
    pcb.unsent.append(Unacked(pcb.snd_lbb, bytearray(), flags, taken))
    pcb.unsent_oversize = 0
    pcb.snd_lbb = (pcb.snd_lbb + 1) & 0xFFFFFFFF
    pcb.snd_buf -= 1
    if flags & Flag.FIN:
        pcb.fin_queued = True
    pcb.snd_queuelen += 1
    return Err.OK


def send_fin(core: TcpCore, pcb: TcpPcb) -> Err:
    """Put a FIN on the last unsent data, or queue one (`tcp_send_fin`)."""
    if pcb.unsent and not pcb.unsent[-1].flags & (Flag.SYN | Flag.FIN | Flag.RST):
        pcb.unsent[-1].flags |= Flag.FIN
        return Err.OK
    return enqueue_flags(core, pcb, Flag.FIN)


def _nagle_lets_through(pcb: TcpPcb) -> bool:
    return not pcb.unacked or pcb.in_fast_retransmit or len(pcb.unsent) > 1 or bool(pcb.unsent[0].data[pcb.mss - 1 :])


def output(core: TcpCore, pcb: TcpPcb) -> None:
    """Send what window and Nagle allow, or a pending acknowledgement (`tcp_output`).

    Does nothing while a segment of this connection is being processed: the input code calls it at its end.
    """
    if core.input_pcb is pcb:
        return
    window = min(pcb.snd_wnd, pcb.cwnd)

    def right_edge() -> int:
        return diff(pcb.unsent[0].seqno, pcb.lastack) + len(pcb.unsent[0].data)

    if pcb.ack_now and (not pcb.unsent or right_edge() > window):
        core.send_ack(pcb)
        return
    while pcb.unsent and right_edge() <= window:
        if not _nagle_lets_through(pcb) and not (pcb.nagle_mem_err or pcb.fin_queued):
            break
        segment = pcb.unsent.pop(0)
        if pcb.state is not State.SYN_SENT:
            segment.flags |= Flag.ACK
            pcb.ack_delay = pcb.ack_now = False
        _send_segment(core, pcb, segment)
        end = (segment.seqno + segment.tcplen) & 0xFFFFFFFF
        if diff(pcb.snd_nxt, end) < 0:
            pcb.snd_nxt = end
        if segment.tcplen:
            _insert_by_seqno(pcb.unacked, segment)
        else:
            core.free_segments([segment])
    if not pcb.unsent:
        pcb.unsent_oversize = 0
    elif pcb.persist_backoff == 0 and right_edge() > pcb.snd_wnd:
        pcb.persist_cnt = 0
        pcb.persist_backoff = 1
    pcb.nagle_mem_err = False


def _insert_by_seqno(queue: list[Unacked], segment: Unacked) -> None:
    at = len(queue)
    if queue and diff(segment.seqno, queue[-1].seqno) < 0:
        at = next(i for i, other in enumerate(queue) if diff(other.seqno, segment.seqno) >= 0)
    queue.insert(at, segment)


def _send_segment(core: TcpCore, pcb: TcpPcb, segment: Unacked) -> None:
    if pcb.rtime == -1:
        pcb.rtime = 0
    if pcb.rttest == 0:
        pcb.rttest = core.ticks
        pcb.rtseq = segment.seqno
    mss = TCP_MSS if segment.flags & Flag.SYN else None
    core.send(pcb, segment.seqno, segment.flags, bytes(segment.data), mss)


def retransmit_all(core: TcpCore, pcb: TcpPcb) -> None:
    """Put all unacknowledged segments back and send again (`tcp_rexmit_rto`)."""
    if not pcb.unacked:
        return
    pcb.unsent[:0] = pcb.unacked
    pcb.unacked.clear()
    pcb.nrtx += 1
    pcb.rttest = 0
    output(core, pcb)


def retransmit_first(pcb: TcpPcb) -> None:
    """Put the first unacknowledged segment back (`tcp_rexmit`); the input code sends it."""
    if not pcb.unacked:
        return
    segment = pcb.unacked.pop(0)
    _insert_by_seqno(pcb.unsent, segment)
    if pcb.unsent[-1] is segment:
        pcb.unsent_oversize = 0
    pcb.nrtx += 1
    pcb.rttest = 0


def fast_retransmit(pcb: TcpPcb) -> None:
    """Three duplicate acknowledgements (`tcp_rexmit_fast`)."""
    if not pcb.unacked or pcb.in_fast_retransmit:
        return
    retransmit_first(pcb)
    pcb.ssthresh = max(min(pcb.cwnd, pcb.snd_wnd) // 2, 2 * pcb.mss)
    pcb.cwnd = pcb.ssthresh + 3 * pcb.mss
    pcb.in_fast_retransmit = True


def keepalive(core: TcpCore, pcb: TcpPcb) -> None:
    """Send a probe that a live peer must answer (`tcp_keepalive`)."""
    core.send(pcb, pcb.snd_nxt - 1, Flag.ACK)


def zero_window_probe(core: TcpCore, pcb: TcpPcb) -> None:
    """Send one byte beyond the peer's closed window (`tcp_zero_window_probe`)."""
    segment = next(iter(pcb.unacked or pcb.unsent), None)
    if segment is None:
        return
    if segment.flags & Flag.FIN and not segment.data:
        core.send(pcb, segment.seqno, Flag.ACK | Flag.FIN)
    else:
        core.send(pcb, segment.seqno, Flag.ACK, bytes(segment.data[:1]))
