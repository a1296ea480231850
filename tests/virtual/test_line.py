"""The line against a chip that only notes when which bytes reached it; exact times on the virtual clock."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from bridge.virtual import clock
from bridge.virtual.line import PACKET, Line
from bridge.virtual.options import VirtualOptions


@dataclass
class Notebook:
    """Both far ends of a line: a chip and a host that write down what arrives, and when."""

    options: VirtualOptions = field(default_factory=VirtualOptions)
    baud: int | None = 115200
    free: int = 256
    takes_lines: bool = False
    clear_boot_text: bool = False
    chip_got: list[tuple[float, bytes]] = field(default_factory=list)
    host_got: list[tuple[float, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.arrived = asyncio.Event()
        self.line = Line(
            self.options,
            seed=random.Random(7),
            deliver=self.deliver,
            clear_boot_text=self.clear_boot_text,
        )
        self.line.attach(self)

    def deliver(self, data: bytes) -> None:
        self.host_got.append((self.loop.time(), data))
        self.arrived.set()

    async def all_at_host(self, size: int) -> None:
        while len(self.at_host) < size:
            self.arrived.clear()
            await self.arrived.wait()

    def room(self) -> int:
        return self.free

    def receive(self, data: bytes, baud: int) -> None:
        assert data
        self.chip_got.append((self.loop.time(), data))

    @property
    def at_chip(self) -> bytes:
        return b"".join(data for _, data in self.chip_got)

    @property
    def at_host(self) -> bytes:
        return b"".join(data for _, data in self.host_got)


PAYLOAD = bytes(range(256)) * 40


@pytest.mark.parametrize("baud", [9600, 115200, 921600])
def test_towards_the_board_each_byte_takes_ten_bits(baud: int) -> None:
    async def main() -> None:
        end = Notebook(baud=baud)
        end.line.set_host_baud(baud)
        end.line.write(PAYLOAD)
        await end.line.drain()
        assert end.at_chip == PAYLOAD
        # A USB frame, and then one byte after the other without a pause.
        assert end.loop.time() == pytest.approx(0.001 + len(PAYLOAD) * 10 / baud)
        arrived = 0
        for when, data in end.chip_got:
            arrived += len(data)
            assert when == pytest.approx(0.001 + arrived * 10 / baud)
            assert len(data) <= max(1, 0.001 * baud / 10)

    clock.run(main())


def test_a_usb_frame_is_waited_for_only_when_the_line_was_idle() -> None:
    async def main() -> None:
        end = Notebook()
        end.line.write(b"abc")
        await asyncio.sleep(0.001 + 15 / 115200)
        end.line.write(b"d")  # the adapter is busy with b and c
        await end.line.drain()
        assert end.chip_got[-1][0] == pytest.approx(0.001 + 40 / 115200)
        await asyncio.sleep(1)
        end.line.write(b"e")
        await end.line.drain()
        assert end.chip_got[-1][0] == pytest.approx(0.001 + 40 / 115200 + 1 + 0.001 + 10 / 115200)

    clock.run(main())


@pytest.mark.parametrize("latency_ms", [1.0, 16.0])
def test_towards_the_host_bytes_leave_in_packets_or_after_the_latency(latency_ms: float) -> None:
    async def main() -> None:
        end = Notebook(VirtualOptions(adapter_latency_ms=latency_ms))
        byte = 10 / 115200
        end.line.transmit(PAYLOAD[:200], 0.5, 115200)
        await asyncio.sleep(2)
        assert end.at_host == PAYLOAD[:200]
        if latency_ms == 16.0:
            assert [len(data) for _, data in end.host_got] == [PACKET, PACKET, PACKET, 200 - 3 * PACKET]
            for n, (when, _) in enumerate(end.host_got[:3], 1):
                assert when == pytest.approx(0.5 + n * PACKET * byte)
            # The rest leaves 16 ms after the first of its bytes came in.
            assert end.host_got[3][0] == pytest.approx(0.5 + (3 * PACKET + 1) * byte + 0.016)
        else:
            assert end.host_got[0][0] == pytest.approx(0.5 + byte + 0.001)
            assert len(end.host_got[0][1]) == 1 + int(0.001 / byte)

    clock.run(main())


def test_a_write_that_follows_joins_the_packet_that_is_filling() -> None:
    async def main() -> None:
        end = Notebook(VirtualOptions(adapter_latency_ms=16))
        end.line.transmit(b"a" * 30, 0.0, 115200)
        await asyncio.sleep(0.005)
        end.line.transmit(b"b" * 40, 0.005, 115200)
        await asyncio.sleep(1)
        assert [data for _, data in end.host_got] == [b"a" * 30 + b"b" * 32, b"b" * 8]
        assert end.host_got[0][0] == pytest.approx(0.005 + 32 * 10 / 115200)

    clock.run(main())


def test_transmissions_stamped_over_each_other_leave_one_after_the_other() -> None:
    async def main() -> None:
        end = Notebook(VirtualOptions(adapter_latency_ms=0), baud=9600)
        end.line.set_host_baud(9600)
        end.line.transmit(b"a" * 100, 0.0, 9600)
        end.line.transmit(b"b", 0.0, 9600)
        await asyncio.sleep(1)
        assert end.at_host == b"a" * 100 + b"b"
        assert end.host_got[-1][0] == pytest.approx(101 * 10 / 9600)

    clock.run(main())


def test_a_cut_keeps_back_what_was_not_over() -> None:
    async def main() -> None:
        end = Notebook(VirtualOptions(adapter_latency_ms=0), baud=9600)
        end.line.set_host_baud(9600)
        end.line.transmit(b"x" * 960, 0.0, 9600)
        await asyncio.sleep(0.1)
        end.line.cut(0.1)
        end.line.transmit(b"boot", 0.2, 9600)
        await asyncio.sleep(1)
        assert end.at_host == b"x" * 96 + b"boot"

    clock.run(main())


@pytest.mark.parametrize(("host", "board"), [(115200, 9600), (9600, 115200), (921600, 115200), (115200, 74880)])
def test_speeds_that_differ_give_garbage_that_the_seed_decides(host: int, board: int) -> None:
    async def once() -> tuple[bytes, bytes]:
        end = Notebook(baud=board)
        end.line.set_host_baud(host)
        end.line.write(b"print('hello')\n" * 4)
        end.line.transmit(b"\r\nNodeMCU 3.0.0.0\r\n> " * 4, 0.0, board)
        await end.line.drain()
        await asyncio.sleep(1)
        assert b"hello" not in end.at_chip and b"NodeMCU" not in end.at_host
        return end.at_chip, end.at_host

    first = clock.run(once())
    assert first == clock.run(once())
    assert first[1], "a host that listens reads something, if not what was said"


@pytest.mark.parametrize("board", [115200 * 0.98, 115200 * 1.025])
def test_speeds_that_differ_by_less_than_three_percent_are_read_well(board: float) -> None:
    async def main() -> None:
        end = Notebook(baud=int(board))
        end.line.write(PAYLOAD)
        end.line.transmit(PAYLOAD, 0.0, int(board))
        await asyncio.sleep(2)
        assert end.at_chip == PAYLOAD and end.at_host == PAYLOAD

    clock.run(main())


def test_a_rom_that_measures_the_speed_reads_any() -> None:
    async def main() -> None:
        end = Notebook(baud=None)
        end.line.set_host_baud(57600)
        end.line.write(b"\xc0\x00\x08")
        await end.line.drain()
        assert end.at_chip == b"\xc0\x00\x08"

    clock.run(main())


def test_boot_text_at_another_speed_is_garbage_or_kept_away() -> None:
    async def main(clear: bool, host: int) -> bytes:
        end = Notebook(clear_boot_text=clear)
        end.line.set_host_baud(host)
        end.line.transmit(b" ets Jan  8 2013", 0.0, 74880)
        end.line.transmit(b"> ", 0.1, 115200)
        await asyncio.sleep(1)
        return end.at_host

    assert clock.run(main(True, 115200)) == b"> "
    assert clock.run(main(True, 74880)).startswith(b" ets Jan  8 2013")
    garbage = clock.run(main(False, 115200))
    assert garbage.endswith(b"> ") and len(garbage) > 2 and b"ets" not in garbage


def test_in_line_mode_nothing_comes_in_one_piece_with_a_line_end_before_it() -> None:
    async def main(lines: bool) -> list[bytes]:
        end = Notebook(takes_lines=lines)
        end.line.write(b"ab\ncd\r\n\nef")
        await end.line.drain()
        arrived = 0
        for when, data in end.chip_got:
            arrived += len(data)
            assert when == pytest.approx(0.001 + arrived * 10 / 115200)
        return [data for _, data in end.chip_got]

    assert clock.run(main(True)) == [b"ab\n", b"cd\r", b"\n", b"\n", b"ef"]
    assert clock.run(main(False)) == [b"ab\ncd\r\n\nef"]


def test_without_pacing_the_line_waits_for_the_board() -> None:
    async def main() -> None:
        end = Notebook(VirtualOptions(baud_pacing=False))
        end.free = 0  # a task is running
        end.line.write(PAYLOAD)
        await asyncio.sleep(0.3)
        assert end.chip_got == []
        end.free = 100
        await end.line.drain()
        assert end.at_chip == PAYLOAD
        assert max(len(data) for _, data in end.chip_got) == 100
        assert end.loop.time() < 0.302
        end.line.transmit(PAYLOAD, 0.5, 115200)
        await asyncio.sleep(0.3)
        assert end.at_host == PAYLOAD and end.loop.time() < 0.61

    clock.run(main())


def test_faults_of_one_direction_do_not_depend_on_pieces_or_on_the_other_direction() -> None:
    options = VirtualOptions(drop=0.01, flip=0.01, duplicate=0.01, delay=0.001)

    async def main(piece: int, answer: bytes) -> bytes:
        end = Notebook(options)
        for at in range(0, len(PAYLOAD), piece):
            end.line.write(PAYLOAD[at : at + piece])
            await asyncio.sleep(0.01)
        end.line.transmit(answer, 0.0, 115200)
        await end.line.drain()
        await asyncio.sleep(10)
        assert len(end.at_host) >= 0.9 * len(answer)
        return end.at_chip

    assert clock.run(main(700, b"")) == clock.run(main(40, PAYLOAD)) != PAYLOAD


def test_what_the_host_purges_never_leaves_and_a_closed_line_is_silent() -> None:
    async def main() -> None:
        end = Notebook()
        end.line.write(b"a" * 1152)
        await asyncio.sleep(0.001 + 0.05)
        end.line.purge()
        await end.line.drain()
        assert end.line.queued == 0
        await asyncio.sleep(1)
        assert 570 <= len(end.at_chip) <= 576
        end.line.transmit(b"x" * 100, end.loop.time(), 115200)
        end.line.write(b"y")
        end.line.close()
        end.line.transmit(b"x" * 100, end.loop.time(), 115200)
        await asyncio.sleep(1)
        assert b"y" not in end.at_chip and end.at_host == b""

    clock.run(main())


def test_the_wall_clock_carries_the_same_bytes() -> None:
    async def main() -> None:
        end = Notebook(baud=921600)
        end.line.set_host_baud(921600)
        end.line.write(PAYLOAD)
        end.line.transmit(PAYLOAD, end.loop.time(), 921600)
        async with asyncio.timeout(30):
            await end.line.drain()
            await end.all_at_host(len(PAYLOAD))
        assert end.at_chip == PAYLOAD and end.at_host == PAYLOAD

    asyncio.run(main())
