"""Protocol control blocks as they are made."""

from __future__ import annotations

from bridge.virtual.lwip import pcb
from bridge.virtual.lwip.segment import Flag


def test_the_limits_are_those_of_lwipopts() -> None:
    assert (pcb.TCP_MSS, pcb.TCP_WND, pcb.TCP_SND_BUF, pcb.TCP_SND_QUEUELEN) == (1460, 5840, 2920, 8)


def test_a_fresh_pcb() -> None:
    fresh = pcb.TcpPcb()
    assert (fresh.state, fresh.mss, fresh.rto, fresh.rtime, fresh.snd_buf) == (pcb.State.CLOSED, 536, 4, -1, 2920)
    assert not fresh.keepalive and fresh != pcb.TcpPcb()


def test_queued_segments_count_their_fin() -> None:
    assert pcb.Unacked(0, bytearray(b"abc"), Flag.PSH | Flag.FIN).tcplen == 4
