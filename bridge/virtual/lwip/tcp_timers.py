"""The two timers of TCP (app/lwip/core/tcp.c): slow every 250 ms, fast every 125 ms of the stack's own time."""

from __future__ import annotations

from bridge.virtual.lwip import tcp_out
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import SLOW_INTERVAL, TCP_MAXRTX, TCP_SYNMAXRTX, State, TcpPcb
from bridge.virtual.lwip.tcp import Tcp

_BACKOFF = (1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7)
_PERSIST_BACKOFF = (3, 6, 12, 24, 48, 96, 120)
_FIN_WAIT_TICKS = 20_000 // SLOW_INTERVAL
_SYN_RCVD_TICKS = 20_000 // SLOW_INTERVAL
_TWO_MSL_TICKS = 10_000 // SLOW_INTERVAL
_OOSEQ_TIMEOUT = 6


def fast_timer(tcp: Tcp) -> None:
    """Send delayed acknowledgements (`tcp_fasttmr`)."""
    for pcb in list(tcp.active):
        if pcb.ack_delay:
            pcb.ack_now = True
            tcp_out.output(tcp, pcb)
            pcb.ack_delay = pcb.ack_now = False


def slow_timer(tcp: Tcp) -> None:
    """Retransmit, probe, give up, and send what was queued outside of a callback (`tcp_slowtmr`)."""
    tcp.ticks += 1
    for pcb in list(tcp.active):
        if pcb not in tcp.active:
            continue  # a callback of an earlier one took it away
        remove, reset = _check(tcp, pcb)
        if remove:
            tcp.purge(pcb)
            tcp.remove_active(pcb)
            if reset:
                tcp.reset_peer(pcb)
            tcp.report_error(pcb, Err.ABRT)
            tcp.free_pcb(pcb)
        else:
            tcp_out.output(tcp, pcb)
    for pcb in list(tcp.time_wait):
        if tcp.ticks - pcb.tmr > _TWO_MSL_TICKS:
            tcp.time_wait.remove(pcb)
            tcp.free_pcb(pcb)


def _check(tcp: Tcp, pcb: TcpPcb) -> tuple[bool, bool]:
    """Whether the connection has to go, and whether its peer is told."""
    remove = reset = False
    if (pcb.state is State.SYN_SENT and pcb.nrtx == TCP_SYNMAXRTX) or pcb.nrtx == TCP_MAXRTX:
        remove = True
    elif pcb.persist_backoff > 0:
        _persist(tcp, pcb)
    else:
        if pcb.rtime >= 0:
            pcb.rtime += 1
        if pcb.unacked and pcb.rtime >= pcb.rto:
            _retransmission_timeout(tcp, pcb)
    idle = tcp.ticks - pcb.tmr
    if pcb.state is State.FIN_WAIT_2 and idle > _FIN_WAIT_TICKS:
        remove = True
    if pcb.keepalive and pcb.state in (State.ESTABLISHED, State.CLOSE_WAIT):
        if idle > (pcb.keep_idle + pcb.keep_cnt * pcb.keep_intvl) // SLOW_INTERVAL:
            remove = reset = True
        elif idle > (pcb.keep_idle + pcb.keep_cnt_sent * pcb.keep_intvl) // SLOW_INTERVAL:
            tcp_out.keepalive(tcp, pcb)
            pcb.keep_cnt_sent += 1
    if pcb.ooseq and idle >= pcb.rto * _OOSEQ_TIMEOUT:
        pcb.ooseq.clear()
    if pcb.state is State.SYN_RCVD and idle > _SYN_RCVD_TICKS:
        remove = True
    if pcb.state is State.LAST_ACK and idle > _TWO_MSL_TICKS:
        remove = True
    return remove, reset


def _persist(tcp: Tcp, pcb: TcpPcb) -> None:
    pcb.persist_cnt += 1
    if pcb.persist_cnt >= _PERSIST_BACKOFF[pcb.persist_backoff - 1]:
        pcb.persist_cnt = 0
        pcb.persist_backoff = min(pcb.persist_backoff + 1, len(_PERSIST_BACKOFF))
        tcp_out.zero_window_probe(tcp, pcb)


def _retransmission_timeout(tcp: Tcp, pcb: TcpPcb) -> None:
    if pcb.state is not State.SYN_SENT:
        pcb.rto = ((pcb.sa >> 3) + pcb.sv) << _BACKOFF[pcb.nrtx]
    pcb.rtime = 0
    pcb.ssthresh = max(min(pcb.cwnd, pcb.snd_wnd) >> 1, pcb.mss << 1)
    pcb.cwnd = pcb.mss
    tcp_out.retransmit_all(tcp, pcb)
