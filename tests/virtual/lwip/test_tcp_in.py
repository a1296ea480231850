"""The state machine, segment by segment."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import State, TcpPcb
from bridge.virtual.lwip.segment import Segment
from bridge.virtual.lwip.tcp_in import tcp_input
from tests.virtual.lwip.wirebench import ACK, FIN, OWN, PEER, PSH, RST, SYN, WireBench


def test_connecting() -> None:
    bench = WireBench()
    bench.connect()
    assert bench.events == ["connected"] and bench.pcb.state is State.ESTABLISHED and bench.pcb.mss == 1460


def test_a_refused_connection_is_reset() -> None:
    bench = WireBench()
    pcb = bench.tcp.allocate()
    assert pcb is not None
    bench.attach(pcb)
    bench.tcp.connect(pcb, PEER, 7001, bench._connected)
    bench.put(RST | ACK, ack=pcb.snd_nxt + 5)
    assert bench.events == []  # not for this SYN
    bench.put(RST | ACK)
    assert bench.events == [("error", Err.RST)] and not bench.tcp.active


def test_the_peers_fin_ends_the_connection_both_ways() -> None:
    bench = WireBench()
    bench.connect()
    bench.put(ACK | FIN)
    assert bench.events == ["connected", "fin"] and bench.pcb.state is State.LAST_ACK
    assert bench.kinds() == [(ACK | FIN, 0)]
    bench.put(ACK)
    assert not bench.tcp.active and bench.memory.left == 1_000_000


def test_our_close_goes_through_fin_wait_to_time_wait() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.close(bench.pcb)
    states = [bench.pcb.state]
    bench.put(ACK)
    states.append(bench.pcb.state)
    bench.put(ACK | FIN)
    states.append(bench.pcb.state)
    assert states == [State.FIN_WAIT_1, State.FIN_WAIT_2, State.TIME_WAIT]
    bench.take()
    bench.put(ACK | FIN, seq=bench.seq - 1)  # its FIN again: our acknowledgement got lost
    assert bench.kinds() == [(ACK, 0)]


def test_closing_at_the_same_time() -> None:
    bench = WireBench()
    bench.connect()
    before = bench.pcb.snd_nxt
    bench.tcp.close(bench.pcb)
    bench.put(ACK | FIN, ack=before)
    assert bench.pcb.state is State.CLOSING
    bench.put(ACK)
    assert bench.pcb.state is State.TIME_WAIT


def test_data_after_our_close_is_answered_with_a_reset() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.close(bench.pcb)
    bench.take()
    bench.put(ACK | PSH, b"too late")
    assert [flags for flags, _ in bench.kinds()] == [RST | ACK]
    assert bench.events == ["connected", ("error", Err.ABRT)] and not bench.tcp.active


def test_what_belongs_to_nothing_is_answered_with_a_reset_unless_it_is_one() -> None:
    bench = WireBench()
    for flags in (SYN, ACK, RST):
        tcp_input(bench.tcp, Segment(PEER, 1, OWN, 2, 3, 4, flags, 5))
    assert [flags for flags, _ in bench.kinds()] == [RST | ACK] * 2


def test_a_listener_takes_a_client_and_ignores_the_sixth() -> None:
    bench = WireBench()
    pcb = bench.tcp.allocate()
    assert pcb is not None
    pcb.reuse_address = True
    bench.tcp.bind(pcb, 0, 8080)
    listener = bench.tcp.listen(pcb)
    assert listener is not None
    accepted: list[TcpPcb] = []

    def accept(_arg: Any, new: TcpPcb, _err: Err) -> Err:
        accepted.append(new)
        return Err.OK

    listener.accept = accept
    for port in range(100, 106):
        tcp_input(bench.tcp, Segment(PEER, port, OWN, 8080, 7, 0, SYN, 5000, mss=1460))
        answer = bench.take()
        if answer:
            tcp_input(bench.tcp, Segment(PEER, port, OWN, 8080, 8, answer[0].seq + 1, ACK, 5000))
    assert [pcb.remote_port for pcb in accepted] == [100, 101, 102, 103, 104] and answer == []


def test_a_syn_in_time_wait_is_reset_and_an_ack_to_a_listener_too() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.close(bench.pcb)
    bench.put(ACK)
    bench.put(ACK | FIN)
    bench.take()
    bench.put(SYN, seq=bench.seq)
    assert [flags for flags, _ in bench.kinds()] == [RST | ACK]
