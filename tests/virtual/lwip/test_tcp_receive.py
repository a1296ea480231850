"""Data and acknowledgements."""

from __future__ import annotations

from bridge.virtual.lwip.pcb import TCP_WND
from tests.virtual.lwip.wirebench import ACK, FIN, PSH, WireBench


def test_every_second_segment_is_acknowledged_at_once_and_a_lone_one_by_the_fast_timer() -> None:
    bench = WireBench()
    bench.connect()
    bench.put(ACK | PSH, b"a")
    assert bench.kinds() == []
    bench.slow()
    assert bench.kinds() == [(ACK, 0)]
    bench.put(ACK | PSH, b"b")
    bench.put(ACK | PSH, b"c")
    assert bench.kinds() == [(ACK, 0)]


def test_segments_out_of_order_are_kept_and_come_together() -> None:
    bench = WireBench()
    bench.connect()
    start = bench.seq
    bench.put(ACK, b"def", seq=start + 3)
    bench.put(ACK | FIN, b"g", seq=start + 6)
    assert bench.events == ["connected"]
    bench.put(ACK, b"abc")
    assert bench.events == ["connected", ("data", b"abc", b"def", b"g"), "fin"]


def test_what_was_received_already_is_cut_off() -> None:
    bench = WireBench()
    bench.connect()
    start = bench.seq
    bench.put(ACK, b"abc")
    bench.put(ACK, b"abcdef", seq=start)
    bench.put(ACK, b"abc", seq=start)
    assert bench.events[1:] == [("data", b"abc"), ("data", b"def")]


def test_the_window_closes_when_the_program_does_not_take_its_data() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.recved = lambda pcb, length: None  # type: ignore[method-assign]
    for _ in range(4):
        bench.put(ACK | PSH, b"x" * 1460)
    assert bench.pcb.rcv_wnd == 0 and bench.take()[-1].window == 0
    bench.put(ACK | PSH, b"y")
    assert len(bench.events) == 5 and bench.kinds() == [(ACK, 0)]
    del bench.tcp.recved
    bench.tcp.recved(bench.pcb, TCP_WND)
    assert bench.take()[-1].window == TCP_WND


def test_sent_comes_once_for_each_acknowledgement_of_new_data() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"x" * 2920)
    bench.slow()
    first, second = bench.take()
    bench.put(ACK, ack=second.seq)
    bench.put(ACK, ack=second.seq)
    bench.put(ACK)
    assert bench.events == ["connected", ("sent", 1460), ("sent", 1460)]
    assert bench.pcb.snd_buf == 2920 and first.seq + 1460 == second.seq


def test_the_acknowledgement_of_a_fin_makes_no_sent_event() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"bye")
    bench.tcp.close(bench.pcb)
    bench.put(ACK)
    assert bench.events == ["connected", ("sent", 3)]
