"""UART0: a ring that forgets the oldest, a FIFO that makes tasks wait."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.clock import run
from bridge.virtual.sdk.cpu import BoardCpu
from bridge.virtual.sdk.uart import BAUDS, FIFO_LIMIT, RING_SIZE, Settings, Uart

BYTE = 10 / 115200


class Wire:
    """A UART whose output is kept."""

    def __init__(self, *, paced: bool = True) -> None:
        self.cpu = BoardCpu(asyncio.get_running_loop(), 1.0, lambda: None)
        self.runs: list[tuple[bytes, float, int]] = []
        self.uart = Uart(self.cpu, lambda data, start, baud: self.runs.append((data, start, baud)), paced=paced)
        self.cpu.begin(1.0)


def on_wire(test, **options: bool) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        test(Wire(**options))

    run(main())


def test_the_ring_keeps_the_last_256_bytes() -> None:
    def test(wire: Wire) -> None:
        wire.uart.receive(bytes(200))
        assert wire.uart.room == RING_SIZE - 200
        wire.uart.receive(bytes(range(100)))
        assert wire.uart.room == 0
        taken = bytes(iter(wire.uart.read, None))
        assert taken == bytes(156) + bytes(range(100))
        assert wire.uart.read() is None

    on_wire(test)


def test_short_output_does_not_wait() -> None:
    def test(wire: Wire) -> None:
        wire.uart.write(b"x" * FIFO_LIMIT)
        assert wire.cpu.now() == 1.0
        assert wire.uart.queued == FIFO_LIMIT
        wire.uart.flush()
        assert wire.runs == [(b"x" * FIFO_LIMIT, 1.0, 115200)]

    on_wire(test)


def test_long_output_waits_at_wire_speed() -> None:
    def test(wire: Wire) -> None:
        wire.uart.write(b"x" * 1024)
        assert wire.cpu.now() == pytest.approx(1.0 + (1024 - FIFO_LIMIT) * BYTE)
        wire.uart.drain()
        assert wire.cpu.now() == pytest.approx(1.0 + 1024 * BYTE)
        assert wire.uart.sent_until == pytest.approx(wire.cpu.now())

    on_wire(test)


def test_bytes_that_follow_each_other_are_one_run_and_others_are_not() -> None:
    def test(wire: Wire) -> None:
        wire.uart.write(b"ab")
        wire.uart.write(b"cd")
        wire.cpu.busy(0.1)
        wire.uart.write(b"ef")
        wire.uart.flush()
        assert [(data, round(start, 6)) for data, start, _ in wire.runs] == [(b"abcd", 1.0), (b"ef", 1.1)]

    on_wire(test)


def test_who_takes_bytes_waits_for_those_that_arrive_while_it_computed() -> None:
    def test(wire: Wire) -> None:
        wire.cpu.begin(0.0)
        assert list(wire.uart.catch_up()) == []
        taking = wire.uart.next()
        wire.cpu.busy(0.01)
        next(taking)
        wire.uart.receive(b"x")
        with pytest.raises(StopIteration) as taken:
            next(taking)
        assert taken.value.value == ord("x")
        assert list(wire.uart.catch_up()) == [None], "nobody has given that time back"

    on_wire(test)


def test_put_translates_line_ends() -> None:
    def test(wire: Wire) -> None:
        wire.uart.put(b"a\nb\r\nc\rd")
        wire.uart.flush()
        assert wire.runs[0][0] == b"a\r\nb\r\ncd"

    on_wire(test)


def test_setup_sends_what_was_queued_at_the_old_speed_first() -> None:
    def test(wire: Wire) -> None:
        wire.uart.write(b"old")
        wire.uart.setup(Settings(baud=9600))
        wire.uart.write(b"new")
        wire.uart.flush()
        assert [(data, baud) for data, _, baud in wire.runs] == [(b"old", 115200), (b"new", 9600)]
        assert wire.runs[1][1] == pytest.approx(1.0 + 3 * BYTE)

    on_wire(test)


def test_without_pacing_nothing_waits() -> None:
    def test(wire: Wire) -> None:
        wire.uart.write(b"x" * 5000)
        assert wire.cpu.now() == 1.0 and wire.uart.queued == 0

    on_wire(test, paced=False)


@pytest.mark.parametrize("baud", BAUDS)
def test_getconfig_shows_the_rate_that_was_set(baud: int) -> None:
    def test(wire: Wire) -> None:
        wire.uart.setup(Settings(baud=baud))
        assert wire.uart.shown_baud == baud

    on_wire(test)
