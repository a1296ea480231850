"""TCP as the application calls it."""

from __future__ import annotations

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import SIZE_TCP_PCB, State
from tests.virtual.lwip.wirebench import ACK, FIN, OWN, PEER, PSH, RST, WireBench


def test_local_ports_are_drawn_between_1024_and_32766() -> None:
    bench = WireBench()
    ports = set()
    for _ in range(50):
        pcb = bench.tcp.allocate()
        assert pcb is not None and bench.tcp.bind(pcb, 0, 0) is Err.OK
        ports.add(pcb.local_port)
    assert len(ports) == 50 and min(ports) >= 1024 and max(ports) <= 0x7FFE + 1024


def test_a_port_is_free_for_those_who_all_allow_it() -> None:
    bench = WireBench()
    first, second = bench.tcp.allocate(), bench.tcp.allocate()
    assert first is not None and second is not None
    assert bench.tcp.bind(first, 0, 80) is Err.OK
    assert bench.tcp.bind(second, OWN, 80) is Err.USE
    first.reuse_address = second.reuse_address = True
    assert bench.tcp.bind(second, OWN, 80) is Err.OK
    assert bench.tcp.listen(first) is not None and bench.tcp.listen(second) is not None
    third = bench.tcp.allocate()
    assert third is not None
    third.reuse_address = True
    assert bench.tcp.bind(third, 0, 80) is Err.OK and bench.tcp.listen(third) is None
    assert bench.tcp.close(third) is Err.OK and not bench.tcp.bound


def test_without_a_route_nothing_happens_ever() -> None:
    bench = WireBench()
    bench.tcp.route = lambda ip: None
    pcb = bench.tcp.allocate()
    assert pcb is not None
    assert bench.tcp.connect(pcb, PEER, 80, bench._connected) is Err.RTE
    assert pcb.state is State.CLOSED and not bench.tcp.active and bench.take() == []


def test_closing_with_data_not_taken_resets() -> None:
    bench = WireBench()
    bench.connect()
    bench.on["data"] = lambda: bench.tcp.close(bench.pcb)
    bench.put(ACK | PSH, b"x")
    assert RST | ACK in [flags for flags, _ in bench.kinds()] and bench.pcb.state is State.TIME_WAIT


def test_a_fin_that_does_not_fit_is_refused() -> None:
    bench = WireBench()
    bench.connect()
    bench.tcp.write(bench.pcb, b"x" * 2920)
    bench.slow()
    assert bench.pcb.snd_buf == 0 and not bench.pcb.unsent
    assert bench.tcp.close(bench.pcb) is Err.MEM and bench.pcb.state is State.ESTABLISHED
    bench.tcp.abort(bench.pcb)
    assert bench.events[-1] == ("error", Err.ABRT) and bench.memory.left == 1_000_000
    bench.tcp.abort(bench.pcb)  # freed already


def test_a_full_heap_costs_the_oldest_connection() -> None:
    bench = WireBench(memory=SIZE_TCP_PCB + 400)
    bench.connect()
    bench.slow(3)
    bench.memory.left = 0
    assert bench.tcp.allocate() is not None
    assert bench.events == ["connected", ("error", Err.ABRT)]
    assert bench.tcp.allocate() is None


def test_without_a_program_data_is_dropped_and_a_fin_is_kept() -> None:
    bench = WireBench()
    bench.connect()
    bench.pcb.recv = None
    bench.put(ACK | PSH, b"x")
    assert bench.pcb.rcv_wnd == 5840
    bench.put(ACK | FIN)
    assert bench.pcb.state is State.CLOSE_WAIT
