"""The line between the host and the chip: a USB adapter, and two wires with the time that bits take on them.

Towards the board, bytes wait in the adapter for a USB frame when the line was idle, and then pass one after the
other at the host's baud. Towards the host they pass at the board's baud from the board time that the firmware stamps
on them, and leave the adapter in full packets, or when its latency timer runs out. Where the two ends' speeds differ
the receiving end reads garbage (`garble`), and both directions can be damaged (`faults`).

Everything waits on the event loop, so that the same code runs on the wall clock and on the virtual one. On the wall
clock the loop may come late: what is late within reason is caught up with, and beyond it the wire has simply paused,
because a burst that no wire could carry would overrun the chip's ring for a reason that is the host machine's alone.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.ports.base import CONSOLE_BAUD
from bridge.virtual.faults import Faults
from bridge.virtual.garble import Garbler, same_speed
from bridge.virtual.options import VirtualOptions
from bridge.virtual.statistics import Statistics

#: Start bit, eight data bits, stop bit.
BITS_PER_BYTE = 10
#: Bytes of data in a full-speed USB packet of 64, after the adapter's two bytes of status (FTDI).
PACKET = 62
#: A USB frame: how long bytes wait in the host before an idle adapter gets them, in seconds.
USB_FRAME_S = 0.001
#: How much line time one delivery to the chip covers, in seconds.
PIECE_S = 0.001
#: Bytes by which a late loop may be caught up with at once, beyond a piece.
CATCH_UP = 64
#: The boot ROM's baud with a crystal of 26 MHz.
ROM_BAUD = 74880


class LineChip(Protocol):
    """What the line needs of the chip."""

    @property
    def baud(self) -> int | None:
        """Speed of UART0; None while the boot ROM measures the host's."""

    @property
    def takes_lines(self) -> bool:
        """True if something may happen on the chip between a line end and the next byte."""

    def room(self) -> int:
        """Bytes that the receive ring takes now without losing any; 0 while a task runs. Asked with pacing off."""

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes whose last has just arrived."""


@dataclass
class _Run:
    """Bytes on their way to the host, back to back."""

    data: bytearray
    start: float  # board time of the first start bit
    byte: float  # seconds a byte takes
    baud: int

    def arrived(self, now: float) -> int:
        """How many of the bytes are over at a time."""
        if self.byte == 0.0:
            return len(self.data) if now >= self.start else 0
        # A billionth of a byte of slack: a sum of binary fractions may end just short of a whole byte.
        return max(0, min(len(self.data), int((now - self.start) / self.byte + 1e-6)))


class Line:
    """Both directions between the host and one chip. Times in seconds on the running loop's clock.

    Args:
        options: pacing, adapter latency and faults.
        seed: where the faults' and the garbage's random numbers come from.
        deliver: gets what reaches the host, on the event loop.
        statistics: counts what crosses the wires.
        clear_boot_text: True to let nothing pass of the boot ROM's text that the host would read as garbage.
    """

    def __init__(
        self,
        options: VirtualOptions,
        *,
        seed: random.Random,
        deliver: Callable[[bytes], None],
        clear_boot_text: bool = False,
        statistics: Statistics | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._statistics = statistics or Statistics()
        self._pacing = options.baud_pacing
        self._latency = options.adapter_latency_ms / 1000.0
        self._clear_boot_text = clear_boot_text
        self.faults_in = Faults(options, random.Random(seed.random()))
        self.faults_out = Faults(options, random.Random(seed.random()))
        self._garble_random = random.Random(seed.random())
        self.host_baud = CONSOLE_BAUD
        self._chip: LineChip | None = None
        self._closed = False
        # Towards the board: what waits, when the next byte's start bit begins, and who waits for the end.
        self._waiting = bytearray()
        self._next_in = -math.inf
        self._timer_in: asyncio.TimerHandle | None = None
        self._drained: list[asyncio.Future[None]] = []
        self._garbler_in: Garbler | None = None
        # Towards the host: runs of bytes on the wire, and what the adapter holds.
        self._runs: deque[_Run] = deque()
        self._free_out = 0.0
        self._packet = bytearray()
        self._packet_since = 0.0
        self._stalled_until = 0.0
        self._timer_out: asyncio.TimerHandle | None = None
        self._due_out = 0.0
        self._garbler_out: Garbler | None = None

    def attach(self, chip: LineChip) -> None:
        """Join the chip's UART to the line."""
        self._chip = chip

    # -- Towards the board ------------------------------------------------------------------------------------------

    @property
    def queued(self) -> int:
        """Bytes from the host that are not on the wire yet."""
        return len(self._waiting)

    def write(self, data: bytes) -> None:
        """Bytes from the host, for the board."""
        if not data or self._closed:
            return
        now = self._loop.time()
        if not self._waiting:
            frame = USB_FRAME_S if self._pacing and self._latency > 0.0 else 0.0
            # While a byte is still on the wire the adapter is not idle, and takes the next without waiting.
            self._next_in = max(self._next_in, now + frame if self._next_in < now else now)
        self._waiting += data
        self._arm_in()

    def purge(self) -> None:
        """Forget what the host wrote and the adapter has not sent yet."""
        self._waiting.clear()
        self._ended_in()

    async def drain(self) -> None:
        """Wait until everything the host wrote is over on the wire."""
        if self._waiting:
            future = self._loop.create_future()
            self._drained.append(future)
            await future

    def set_host_baud(self, baud: int) -> None:
        """The host's adapter changes its speed, in both directions and at once."""
        self.host_baud = baud

    def chip_has_room(self) -> None:
        """The chip's task is over: with pacing off, go on at once."""
        if not self._pacing and self._waiting and self._timer_in is not None:
            self._timer_in.cancel()
            self._timer_in = self._loop.call_at(self._loop.time(), self._pump_in)

    def _arm_in(self) -> None:
        if self._timer_in is None and self._waiting:
            byte = BITS_PER_BYTE / self.host_baud if self._pacing else 0.0
            piece = self._up_to_line_end(max(1, int(PIECE_S / byte))) if byte else 0
            self._timer_in = self._loop.call_at(self._next_in + piece * byte, self._pump_in)

    def _up_to_line_end(self, most: int) -> int:
        """How many of the waiting bytes go in one piece: in line mode none behind a line end.

        The chip takes bytes one by one. What it does with a line can begin before the next byte is there, and shows:
        the order of an echo and a prompt.
        """
        most = min(most, len(self._waiting))
        if self._chip is not None and self._chip.takes_lines:
            for end in (b"\n", b"\r"):
                place = self._waiting.find(end, 0, most)
                if place >= 0:
                    most = place + 1
        return most

    def _pump_in(self) -> None:
        self._timer_in = None
        if not self._waiting:
            return
        now = self._loop.time()
        if self._pacing:
            byte = BITS_PER_BYTE / self.host_baud
            over = min(int((now - self._next_in) / byte + 1e-6), len(self._waiting))
            most = self._up_to_line_end(max(1, int(PIECE_S / byte)) + CATCH_UP)
            if over > most:
                self._next_in = now - most * byte
                over = most
            self._next_in += over * byte
        else:
            over = most = self._up_to_line_end(self._chip.room() if self._chip is not None else PACKET)
            # An endlessly fast line would overrun the ring with every write. Without pacing it waits for the board
            # instead, as if the UART had flow control, and looks again when the board's task may be over.
            self._next_in = now if over else now + PIECE_S
        data = bytes(self._waiting[:over])
        del self._waiting[:over]
        if data:
            self._arrive_in(data)
        if self._waiting:
            if over == most:
                # A line end, or too late: what the chip does now comes before the next byte, however late it is.
                self._next_in = max(self._next_in, self._loop.time())
            self._arm_in()
        else:
            self._ended_in()

    def _ended_in(self) -> None:
        for future in self._drained:
            if not future.done():
                future.set_result(None)
        self._drained.clear()

    def _arrive_in(self, data: bytes) -> None:
        chip = self._chip
        if chip is None:
            return
        self._statistics.bytes_to_board += len(data)
        if self.faults_in.active:
            damaged = self.faults_in.damage(data)
            data = damaged.data
            self._next_in += damaged.stall
        board_baud = chip.baud
        if board_baud is not None and not same_speed(self.host_baud, board_baud):
            garbler = self._garbler_in
            if garbler is None or (garbler.sender, garbler.receiver) != (self.host_baud, board_baud):
                garbler = self._garbler_in = Garbler(self.host_baud, board_baud, self._garble_random)
            data = garbler.feed(data, last=not self._waiting)
        if data:
            chip.receive(data, self.host_baud)

    # -- Towards the host -------------------------------------------------------------------------------------------

    def transmit(self, data: bytes, t: float, baud: int) -> None:
        """Bytes leave the chip.

        Args:
            data: bytes that follow on each other without a pause.
            t: board time of the first start bit, now or later.
            baud: the chip's speed.
        """
        if not data or self._closed:
            return
        byte = BITS_PER_BYTE / baud if self._pacing else 0.0
        start = max(t, self._free_out)
        last = self._runs[-1] if self._runs else None
        if last is not None and last.baud == baud and start <= self._free_out:
            last.data += data
        else:
            self._runs.append(_Run(bytearray(data), start, byte, baud))
        self._free_out = start + len(data) * byte
        # With less than a packet under way the latency timer, already set, decides.
        if self._timer_out is None or len(self._packet) + sum(len(run.data) for run in self._runs) >= PACKET:
            self._arm_out()

    def cut(self, t: float) -> None:
        """The chip lost power or was reset: what was not over by then never leaves."""
        while self._runs:
            run = self._runs[-1]
            kept = run.arrived(t)
            if kept:
                del run.data[kept:]
                break
            self._runs.pop()
        self._free_out = t
        self._arm_out()

    def _arm_out(self) -> None:
        """Set the timer to when the adapter's next packet is full or its latency timer runs out."""
        due = self._next_packet_at()
        if self._timer_out is not None:
            if due == self._due_out:
                return
            self._timer_out.cancel()
            self._timer_out = None
        if due is not None:
            self._due_out = due
            self._timer_out = self._loop.call_at(due, self._pump_out)

    def _next_packet_at(self) -> float | None:
        if not self._packet and not self._runs:
            return None
        first = self._packet_since if self._packet else self._runs[0].start + self._runs[0].byte
        due = first + self._latency
        missing = PACKET - len(self._packet)
        for run in self._runs:
            if run.start >= due:
                break
            if len(run.data) >= missing:
                due = min(due, run.start + missing * run.byte)
                break
            missing -= len(run.data)
        return max(due, self._stalled_until)

    def _pump_out(self) -> None:
        self._timer_out = None
        now = self._loop.time()
        while self._runs:
            run = self._runs[0]
            count = run.arrived(now)
            if not count:
                break
            if not self._packet:
                self._packet_since = run.start + run.byte
            self._arrive_out(bytes(run.data[:count]), run, last=count == len(run.data))
            if count == len(run.data):
                self._runs.popleft()
            else:
                del run.data[:count]
                run.start += count * run.byte
                break
        if now >= self._stalled_until:
            full = len(self._packet) // PACKET * PACKET
            expired = now >= self._packet_since + self._latency - 1e-9
            out = bytes(self._packet) if expired else bytes(self._packet[:full])
            del self._packet[: len(out)]
            if out:
                self._packet_since = now
                self._deliver(out)
        self._arm_out()

    def _arrive_out(self, data: bytes, run: _Run, *, last: bool) -> None:
        self._statistics.bytes_to_host += len(data)
        if not same_speed(run.baud, self.host_baud):
            if self._clear_boot_text and run.baud == ROM_BAUD:
                return
            garbler = self._garbler_out
            if garbler is None or (garbler.sender, garbler.receiver) != (run.baud, self.host_baud):
                garbler = self._garbler_out = Garbler(run.baud, self.host_baud, self._garble_random)
            data = garbler.feed(data, last=last)
        if self.faults_out.active:
            damaged = self.faults_out.damage(data)
            data = damaged.data
            if damaged.stall:
                self._stalled_until = max(self._stalled_until, self._loop.time()) + damaged.stall
        self._packet += data

    def close(self) -> None:
        """Nothing passes any more, in either direction."""
        for timer in (self._timer_in, self._timer_out):
            if timer is not None:
                timer.cancel()
        self._timer_in = self._timer_out = None
        self._runs.clear()
        self._packet.clear()
        self._chip = None
        self._closed = True
        self.purge()
