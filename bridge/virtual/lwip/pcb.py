"""Protocol control blocks: the state the stack keeps for each connection, listener and UDP port.

Field names are lwIP's, so that the behaviour can be compared with app/lwip/core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.segment import Flag, Segment

#: app/include/lwipopts.h; WND, MAXRTX, SYNMAXRTX and NUM_TCP_PCB live in RTC RAM, set by lwip_init.
TCP_MSS = 1460
TCP_WND = 4 * TCP_MSS
TCP_SND_BUF = 2 * TCP_MSS
TCP_SND_QUEUELEN = 8
TCP_TTL = 255
TCP_MAXRTX = 12
TCP_SYNMAXRTX = 6
MEMP_NUM_TCP_PCB = 5
#: Slow timer in milliseconds (2 * TCP_TMR_INTERVAL); times in a pcb count these ticks.
SLOW_INTERVAL = 250
#: An address that never was in the announced window (`pcb->mss` before the peer's option is known).
INITIAL_MSS = 536

#: sizeof of the C structs, measured by the recorder (ground-truth README, "Stack facts").
SIZE_TCP_PCB = 176
SIZE_LISTEN_PCB = 36
SIZE_UDP_PCB = 36
SIZE_TCP_SEG = 20
#: Header of a pbuf and the room for link, IP and TCP headers before the payload.
SIZE_PBUF = 84


class State(IntEnum):
    """TCP states in lwIP's order (comparisons use it)."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RCVD = 3
    ESTABLISHED = 4
    FIN_WAIT_1 = 5
    FIN_WAIT_2 = 6
    CLOSE_WAIT = 7
    CLOSING = 8
    LAST_ACK = 9
    TIME_WAIT = 10


@dataclass(eq=False)
class Unacked:
    """A segment on the unsent or unacked queue (`struct tcp_seg`), with the heap it holds."""

    seqno: int
    data: bytearray
    flags: Flag
    taken: tuple[int, ...] = ()

    @property
    def tcplen(self) -> int:
        return len(self.data) + (1 if self.flags & (Flag.SYN | Flag.FIN) else 0)


@dataclass(eq=False)
class ListenPcb:
    """`struct tcp_pcb_listen`."""

    local_ip: int
    local_port: int
    callback_arg: Any = None
    accept: Callable[[Any, TcpPcb, Err], Err] | None = None
    ttl: int = TCP_TTL
    reuse_address: bool = True
    taken: int = 0
    state: State = State.LISTEN


@dataclass(eq=False)
class TcpPcb:
    """`struct tcp_pcb`."""

    taken: int = 0
    state: State = State.CLOSED
    local_ip: int = ANY
    local_port: int = 0
    remote_ip: int = ANY
    remote_port: int = 0
    ttl: int = TCP_TTL
    reuse_address: bool = False
    keepalive: bool = False
    keep_idle: int = 120_000
    keep_intvl: int = 10_000
    keep_cnt: int = 9
    keep_cnt_sent: int = 0
    # flags
    ack_delay: bool = False
    ack_now: bool = False
    in_fast_retransmit: bool = False
    rx_closed: bool = False
    fin_queued: bool = False
    nagle_mem_err: bool = False
    # receiver
    rcv_nxt: int = 0
    rcv_wnd: int = TCP_WND
    rcv_ann_wnd: int = TCP_WND
    rcv_ann_right_edge: int = 0
    ooseq: list[Segment] = field(default_factory=list)
    # timers, in slow ticks
    tmr: int = 0
    rtime: int = -1
    rttest: int = 0
    rtseq: int = 0
    sa: int = 0
    sv: int = 1000 // SLOW_INTERVAL
    rto: int = 1000 // SLOW_INTERVAL
    nrtx: int = 0
    persist_cnt: int = 0
    persist_backoff: int = 0
    # sender
    mss: int = INITIAL_MSS
    dupacks: int = 0
    lastack: int = 0
    cwnd: int = 1
    ssthresh: int = 0
    snd_nxt: int = 0
    snd_wl1: int = 0
    snd_wl2: int = 0
    snd_lbb: int = 0
    snd_wnd: int = 0
    acked: int = 0
    snd_buf: int = TCP_SND_BUF
    snd_queuelen: int = 0
    unsent_oversize: int = 0
    unsent: list[Unacked] = field(default_factory=list)
    unacked: list[Unacked] = field(default_factory=list)
    # the application
    callback_arg: Any = None
    accept: Callable[[Any, TcpPcb, Err], Err] | None = None
    connected: Callable[[Any, TcpPcb, Err], Err] | None = None
    recv: Callable[[Any, TcpPcb, list[bytes] | None, Err], Err] | None = None
    sent: Callable[[Any, TcpPcb, int], Err] | None = None
    errf: Callable[[Any, Err], None] | None = None


@dataclass(eq=False)
class UdpPcb:
    """`struct udp_pcb`."""

    taken: int = 0
    local_ip: int = ANY
    local_port: int = 0
    remote_ip: int = ANY
    remote_port: int = 0
    connected: bool = False
    ttl: int = TCP_TTL
    recv: Callable[[Any, UdpPcb, bytes, int, int], None] | None = None
    recv_arg: Any = None
