"""Queueing and sending."""

from __future__ import annotations

from bridge.virtual.lwip import tcp_out
from bridge.virtual.lwip.err import Err
from tests.virtual.lwip.wirebench import ACK, FIN, PSH, WireBench


def test_nothing_leaves_before_output_and_small_writes_share_a_segment() -> None:
    bench = WireBench()
    bench.connect()
    for _ in range(12):
        assert bench.tcp.write(bench.pcb, b"k") is Err.OK
    assert bench.kinds() == [] and bench.pcb.snd_queuelen == 1
    bench.slow()
    assert bench.kinds() == [(ACK | PSH, 12)]


def test_all_or_nothing_of_2920_bytes() -> None:
    bench = WireBench()
    bench.connect()
    before = bench.memory.left
    assert bench.tcp.write(bench.pcb, b"x" * 2921) is Err.MEM
    assert bench.memory.left == before and not bench.pcb.unsent
    assert bench.tcp.write(bench.pcb, b"x" * 2920) is Err.OK
    assert bench.tcp.write(bench.pcb, b"y") is Err.MEM
    bench.slow()
    assert bench.kinds() == [(ACK, 1460), (ACK | PSH, 1460)]


def test_at_most_eight_pbufs() -> None:
    bench = WireBench()
    bench.connect()
    results = []
    for _ in range(9):
        results.append(bench.tcp.write(bench.pcb, b"x"))
        bench.pcb.nagle_mem_err = True
        tcp_out.output(bench.tcp, bench.pcb)
    assert results == [Err.OK] * 8 + [Err.MEM]


def test_the_length_is_taken_modulo_65536() -> None:
    bench = WireBench()
    bench.connect()
    assert bench.tcp.write(bench.pcb, b"x" * 65536) is Err.OK and not bench.pcb.unsent
    assert bench.tcp.write(bench.pcb, b"x" * 65546) is Err.OK and len(bench.pcb.unsent[0].data) == 10


def test_nagle_holds_a_small_segment_back_while_something_is_unacknowledged() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"one")
    bench.slow()
    bench.tcp.write(bench.pcb, b"two")
    bench.slow()
    assert bench.kinds() == [(ACK | PSH, 3)]
    bench.put(ACK)
    assert bench.kinds() == [(ACK | PSH, 3)]


def test_a_closed_window_is_probed_with_one_byte() -> None:
    bench = WireBench()
    bench.connect()
    bench.window = 0
    bench.put(ACK | PSH, b"x")
    bench.take()
    bench.tcp.write(bench.pcb, b"stuck")
    bench.slow(5)
    assert (ACK, 1) in bench.kinds()
    bench.window = 1000
    bench.put(ACK)
    assert (ACK | PSH, 5) in bench.kinds()


def test_retransmission_backs_off_and_gives_up_after_twelve() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"lost")
    times = []
    for tick in range(4000):
        bench.slow()
        if bench.kinds():
            times.append(tick)
        if ("error", Err.ABRT) in bench.events:
            break
    assert len(times) == 13 and ("error", Err.ABRT) in bench.events
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert gaps[1] > gaps[0] and gaps == sorted(gaps)


def test_three_duplicate_acknowledgements_retransmit_at_once() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"a" * 1460)
    bench.slow()
    bench.take()
    old = bench.pcb.lastack
    for _ in range(3):
        bench.put(ACK, ack=old)
    assert bench.kinds() == [(ACK | PSH, 1460)]


def test_a_fin_rides_on_unsent_data() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"bye")
    assert bench.tcp.close(bench.pcb) is Err.OK
    assert bench.kinds() == [(ACK | PSH | FIN, 3)]
