"""What happens when nothing happens."""

from __future__ import annotations

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import State
from tests.virtual.lwip.wirebench import ACK, FIN, PEER, RST, SYN, WireBench


def test_a_syn_nobody_answers_is_sent_seven_times_in_25_ticks() -> None:
    bench = WireBench()
    pcb = bench.tcp.allocate()
    assert pcb is not None
    bench.attach(pcb)
    bench.tcp.connect(pcb, PEER, 7001, bench._connected)
    bench.slow(24)
    assert [flags for flags, _ in bench.kinds()] == [SYN] * 7 and bench.events == []
    bench.slow()
    assert bench.events == [("error", Err.ABRT)] and bench.memory.left == 1_000_000


def test_time_wait_lasts_ten_seconds_of_ticks() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.close(bench.pcb)
    bench.put(ACK)
    bench.put(ACK | FIN)
    bench.slow(40)
    assert bench.tcp.time_wait
    bench.slow()
    assert not bench.tcp.time_wait and bench.memory.left == 1_000_000


def test_a_peer_that_does_not_close_is_forgotten_after_twenty_seconds() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.close(bench.pcb)
    bench.put(ACK)
    assert bench.pcb.state is State.FIN_WAIT_2
    bench.slow(81)
    assert not bench.tcp.active


def test_keepalive_probes_a_silent_peer_and_drops_a_dead_one() -> None:
    bench = WireBench()
    bench.connect()
    bench.pcb.keepalive, bench.pcb.keep_idle, bench.pcb.keep_cnt = True, 1000, 1
    for _ in range(10):
        bench.slow(6)
        assert bench.kinds() == [(ACK, 0)]
        bench.put(ACK)
    bench.slow(44)
    assert ("error", Err.ABRT) not in bench.events
    bench.slow()
    assert bench.events[-1] == ("error", Err.ABRT) and bench.take()[-1].flags == RST | ACK
