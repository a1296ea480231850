"""Lists of pcbs and their memory."""

from __future__ import annotations

from bridge.virtual.lwip.pcb import State, TcpPcb
from bridge.virtual.lwip.segment import Segment
from bridge.virtual.lwip.tcp_core import TcpCore
from tests.virtual.lwip.bare import FreeMemory
from tests.virtual.lwip.wirebench import ACK, RST, SYN


def test_a_segment_takes_a_pbuf_and_a_header_or_nothing() -> None:
    memory = FreeMemory(114)
    core = TcpCore(memory, lambda segment: None, lambda ip: None)
    assert core.take_segment(1460) is None and memory.left == 114
    assert core.take_segment(20) is None and memory.left == 114
    assert core.take_segment(0) == (84, 20)


def test_registering_starts_the_timer_and_counts_what_is_established() -> None:
    core = TcpCore(FreeMemory(), lambda segment: None, lambda ip: None)
    calls: list[str] = []
    core.on_registered = lambda: calls.append("timer")
    core.on_changed = lambda: calls.append("changed")
    pcbs = [TcpPcb(state=State.ESTABLISHED), TcpPcb(state=State.SYN_SENT)]
    for pcb in pcbs:
        core.register_active(pcb)
    assert core.active == pcbs[::-1] and core.established() == 1
    core.to_time_wait(pcbs[0])
    assert core.time_wait == [pcbs[0]] and calls == ["timer", "timer", "changed", "timer"]


def test_a_removed_pcb_sends_its_delayed_acknowledgement() -> None:
    sent: list[Segment] = []
    core = TcpCore(FreeMemory(), sent.append, lambda ip: None)
    pcb = TcpPcb(state=State.ESTABLISHED, ack_delay=True, local_port=5, remote_port=6)
    core.register_active(pcb)
    core.remove(pcb)
    assert pcb.state is State.CLOSED and [segment.flags for segment in sent] == [ACK]


def test_a_reset_answers_with_the_numbers_of_what_it_answers() -> None:
    sent: list[Segment] = []
    core = TcpCore(FreeMemory(), sent.append, lambda ip: None)
    core.reset_sender(Segment(1, 10, 2, 20, 1000, 77, SYN, 0))
    assert sent == [Segment(2, 20, 1, 10, 77, 1001, RST | ACK, 0)]
