"""The receiving half of TCP (app/lwip/core/tcp_in.c): demultiplexing, the state machine, events."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.virtual.lwip import tcp_out
from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import MEMP_NUM_TCP_PCB, TCP_MSS, TCP_WND, ListenPcb, State, TcpPcb
from bridge.virtual.lwip.segment import Flag, Segment, between
from bridge.virtual.lwip.tcp import Tcp
from bridge.virtual.lwip.tcp_receive import receive


@dataclass
class Arrival:
    """A segment while it is processed, and what came of it (`recv_flags`, `recv_data`)."""

    segment: Segment
    reset: bool = False
    closed: bool = False
    got_fin: bool = False
    data: list[bytes] = field(default_factory=list)

    @property
    def flags(self) -> Flag:
        return self.segment.flags


def tcp_input(tcp: Tcp, segment: Segment) -> None:
    """Take in one segment from the network (`tcp_input`)."""
    pcb = next((p for p in tcp.active if _is_for(p, segment)), None)
    if pcb is not None:
        tcp.active.remove(pcb)
        tcp.active.insert(0, pcb)
        _active_input(tcp, pcb, segment)
        return
    waiting = next((p for p in tcp.time_wait if _is_for(p, segment)), None)
    if waiting is not None:
        _time_wait_input(tcp, waiting, segment)
        return
    listener = _listener_for(tcp, segment)
    if listener is not None:
        tcp.listening.remove(listener)
        tcp.listening.insert(0, listener)
        _listen_input(tcp, listener, segment)
    elif not segment.flags & Flag.RST:
        tcp.reset_sender(segment)


def _is_for(pcb: TcpPcb, segment: Segment) -> bool:
    return (
        pcb.remote_port == segment.source_port
        and pcb.local_port == segment.target_port
        and pcb.remote_ip == segment.source
        and pcb.local_ip == segment.target
    )


def _listener_for(tcp: Tcp, segment: Segment) -> ListenPcb | None:
    on_port = [p for p in tcp.listening if p.local_port == segment.target_port]
    exact = next((p for p in on_port if p.local_ip == segment.target), None)
    # Of several listeners on any address C keeps the last one it saw.
    return exact or next((p for p in reversed(on_port) if p.local_ip == ANY), None)


def _listen_input(tcp: Tcp, listener: ListenPcb, segment: Segment) -> None:
    if segment.flags & Flag.ACK:
        tcp.reset_sender(segment)
        return
    if not segment.flags & Flag.SYN:
        return
    if tcp.established() == MEMP_NUM_TCP_PCB:
        return  # ignored without an answer: the peer tries again
    pcb = tcp.allocate()
    if pcb is None:
        return
    pcb.local_ip = segment.target
    pcb.local_port = listener.local_port
    pcb.remote_ip = segment.source
    pcb.remote_port = segment.source_port
    pcb.state = State.SYN_RCVD
    pcb.rcv_nxt = (segment.seq + 1) & 0xFFFFFFFF
    pcb.rcv_ann_right_edge = pcb.rcv_nxt
    pcb.snd_wnd = segment.window
    pcb.ssthresh = pcb.snd_wnd
    pcb.snd_wl1 = (segment.seq - 1) & 0xFFFFFFFF
    pcb.callback_arg = listener.callback_arg
    pcb.accept = listener.accept
    pcb.reuse_address = listener.reuse_address
    tcp.register_active(pcb)
    _parse_options(pcb, segment)
    if tcp_out.enqueue_flags(tcp, pcb, Flag.SYN | Flag.ACK) is not Err.OK:
        tcp.abandon(pcb, reset=False)
        return
    tcp_out.output(tcp, pcb)


def _time_wait_input(tcp: Tcp, pcb: TcpPcb, segment: Segment) -> None:
    if segment.flags & Flag.RST:
        return
    if segment.flags & Flag.SYN:
        if between(segment.seq, pcb.rcv_nxt, pcb.rcv_nxt + pcb.rcv_wnd):
            tcp.reset_sender(segment)
            return
    elif segment.flags & Flag.FIN:
        pcb.tmr = tcp.ticks
    if segment.length > 0:
        pcb.ack_now = True
        tcp_out.output(tcp, pcb)


def _active_input(tcp: Tcp, pcb: TcpPcb, segment: Segment) -> None:
    arrival = Arrival(segment)
    tcp.input_pcb = pcb
    try:
        if _process(tcp, pcb, arrival) is not Err.ABRT:
            _report(tcp, pcb, arrival)
    finally:
        tcp.input_pcb = None


def _report(tcp: Tcp, pcb: TcpPcb, arrival: Arrival) -> None:
    """Tell the application, then send what there is to send. Stops when a callback aborted the connection."""
    if arrival.reset:
        tcp.report_error(pcb, Err.RST)
        tcp.remove(pcb)
        tcp.free_pcb(pcb)
        return
    if arrival.closed:
        if not pcb.rx_closed:
            tcp.report_error(pcb, Err.CLSD)
        tcp.remove(pcb)
        tcp.free_pcb(pcb)
        return
    if pcb.acked > 0 and pcb.sent is not None and pcb.sent(pcb.callback_arg, pcb, pcb.acked) is Err.ABRT:
        return
    if arrival.data:
        if pcb.rx_closed:
            tcp.abort(pcb)
            return
        if tcp.give_data(pcb, arrival.data) is Err.ABRT:
            return
    if arrival.got_fin:
        if pcb.rcv_wnd != TCP_WND:
            pcb.rcv_wnd += 1
        if tcp.give_data(pcb, None) is Err.ABRT:
            return
    tcp.input_pcb = None
    tcp_out.output(tcp, pcb)


def _process(tcp: Tcp, pcb: TcpPcb, arrival: Arrival) -> Err:
    """The state machine (`tcp_process`)."""
    segment = arrival.segment
    if segment.flags & Flag.RST:
        if pcb.state is State.SYN_SENT:
            acceptable = segment.ack == pcb.snd_nxt
        else:
            acceptable = between(segment.seq, pcb.rcv_nxt, pcb.rcv_nxt + pcb.rcv_wnd)
        if acceptable:
            arrival.reset = True
            pcb.ack_delay = False
        return Err.RST if acceptable else Err.OK
    if segment.flags & Flag.SYN and pcb.state not in (State.SYN_SENT, State.SYN_RCVD):
        pcb.ack_now = True
        return Err.OK
    if not pcb.rx_closed:
        pcb.tmr = tcp.ticks
    pcb.keep_cnt_sent = 0
    _parse_options(pcb, segment)
    if pcb.state is State.SYN_SENT:
        return _in_syn_sent(tcp, pcb, arrival)
    if pcb.state is State.SYN_RCVD:
        return _in_syn_rcvd(tcp, pcb, arrival)
    _in_connection(tcp, pcb, arrival)
    return Err.OK


def _in_syn_sent(tcp: Tcp, pcb: TcpPcb, arrival: Arrival) -> Err:
    segment = arrival.segment
    if not segment.flags & Flag.ACK:
        return Err.OK
    if not (segment.flags & Flag.SYN and pcb.unacked and segment.ack == (pcb.unacked[0].seqno + 1) & 0xFFFFFFFF):
        tcp.reset_sender(segment)
        return Err.OK
    pcb.snd_buf += 1
    pcb.rcv_nxt = (segment.seq + 1) & 0xFFFFFFFF
    pcb.rcv_ann_right_edge = pcb.rcv_nxt
    pcb.lastack = segment.ack
    pcb.snd_wnd = segment.window
    pcb.snd_wl1 = (segment.seq - 1) & 0xFFFFFFFF
    pcb.state = State.ESTABLISHED
    tcp.on_changed()
    pcb.ssthresh = pcb.mss * 10
    pcb.cwnd = pcb.mss * 2 if pcb.cwnd == 1 else pcb.mss
    pcb.snd_queuelen -= 1
    syn = pcb.unacked.pop(0)
    pcb.rtime = 0 if pcb.unacked else -1
    pcb.nrtx = 0
    tcp.free_segments([syn])
    if pcb.connected is not None and pcb.connected(pcb.callback_arg, pcb, Err.OK) is Err.ABRT:
        return Err.ABRT
    pcb.ack_now = True
    return Err.OK


def _in_syn_rcvd(tcp: Tcp, pcb: TcpPcb, arrival: Arrival) -> Err:
    segment = arrival.segment
    if not segment.flags & Flag.ACK:
        if segment.flags & Flag.SYN and segment.seq == (pcb.rcv_nxt - 1) & 0xFFFFFFFF:
            tcp_out.retransmit_first(pcb)
        return Err.OK
    if not between(segment.ack, pcb.lastack + 1, pcb.snd_nxt):
        tcp.reset_sender(segment)
        return Err.OK
    pcb.state = State.ESTABLISHED
    tcp.on_changed()
    err = pcb.accept(pcb.callback_arg, pcb, Err.OK) if pcb.accept is not None else Err.ABRT
    if err is not Err.OK:
        if err is not Err.ABRT:
            tcp.abort(pcb)
        return Err.ABRT
    old_cwnd = pcb.cwnd
    receive(tcp, pcb, arrival)
    if pcb.acked:
        pcb.acked -= 1
    pcb.cwnd = pcb.mss * 2 if old_cwnd == 1 else pcb.mss
    if arrival.got_fin:
        pcb.ack_now = True
        pcb.state = State.CLOSE_WAIT
        tcp.on_changed()
    return Err.OK


def _in_connection(tcp: Tcp, pcb: TcpPcb, arrival: Arrival) -> None:
    """ESTABLISHED and everything after it."""
    state = pcb.state
    receive(tcp, pcb, arrival)
    all_acked = bool(arrival.flags & Flag.ACK) and arrival.segment.ack == pcb.snd_nxt
    if state in (State.ESTABLISHED, State.CLOSE_WAIT):
        if arrival.got_fin:
            pcb.ack_now = True
            pcb.state = State.CLOSE_WAIT
            tcp.on_changed()
    elif state is State.FIN_WAIT_1:
        if arrival.got_fin:
            pcb.ack_now = True
            if all_acked:
                _enter_time_wait(tcp, pcb)
            else:
                pcb.state = State.CLOSING
        elif all_acked:
            pcb.state = State.FIN_WAIT_2
    elif state is State.FIN_WAIT_2:
        if arrival.got_fin:
            pcb.ack_now = True
            _enter_time_wait(tcp, pcb)
    elif state is State.CLOSING:
        if all_acked:
            _enter_time_wait(tcp, pcb)
    elif state is State.LAST_ACK and all_acked:
        arrival.closed = True


def _enter_time_wait(tcp: Tcp, pcb: TcpPcb) -> None:
    tcp.purge(pcb)
    tcp.to_time_wait(pcb)


def _parse_options(pcb: TcpPcb, segment: Segment) -> None:
    if segment.mss is not None:
        pcb.mss = TCP_MSS if segment.mss > TCP_MSS or segment.mss == 0 else segment.mss
