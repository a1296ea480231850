"""A virtual board whose firmware stands still while certain bytes arrive, as the recorder's process stood still.

Run as a program it is `nodemcu-bridge virtual --pty …` with one more flag, for `player.py`. The stalls are counted in
bytes of the line, not in time, so that a replay is exact on any machine.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import NamedTuple

from bridge.virtual.board import VirtualBoard
from bridge.virtual.line import LineChip
from bridge.virtual.options import VirtualOptions
from bridge.virtual.serve import Doors, serve


class Stall(NamedTuple):
    """While the firmware stands still.

    Attributes:
        first: it stops just before this byte from the host arrives; bytes are counted from 1 since power-on.
        last: it goes on when this byte has arrived; None for never.
    """

    first: int
    last: int | None

    def __str__(self) -> str:
        return f"{self.first}-{self.last or ''}"

    @classmethod
    def read(cls, text: str) -> Stall:
        """The stall that `str` wrote."""
        first, _, last = text.partition("-")
        return cls(int(first), int(last) if last else None)


class StalledBoard(VirtualBoard):
    """A virtual board that stands still while certain bytes arrive."""

    def __init__(self, options: VirtualOptions, stalls: list[Stall]) -> None:
        super().__init__(options)
        self._stalls = stalls

    def plug(self) -> None:
        """Plug in, with the stalls between the line and the chip."""
        super().plug()
        self.line.attach(_Counting(self, self._stalls))


class _Counting:
    """A `LineChip`: the board's chip, to which the bytes come one by one."""

    def __init__(self, board: VirtualBoard, stalls: list[Stall]) -> None:
        self._board = board
        self._chip: LineChip = board.chip
        self._stops = {stall.first for stall in stalls}
        self._goes = {stall.last for stall in stalls}
        self._count = 0

    @property
    def baud(self) -> int | None:
        return self._chip.baud

    @property
    def takes_lines(self) -> bool:
        return self._chip.takes_lines

    def room(self) -> int:
        return self._chip.room()

    def receive(self, data: bytes, baud: int) -> None:
        for number in data:
            self._count += 1
            if self._count in self._stops:
                self._board.hold_cpu()
            self._chip.receive(bytes([number]), baud)
            if self._count in self._goes:
                self._board.release_cpu()


def main() -> None:
    """Serve one until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stalls", type=lambda text: [Stall.read(part) for part in text.split(",")], required=True)
    parser.add_argument("--pty", type=Path, required=True)
    for name in ("--address", "--dns", "--lua", "--mac"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    options = VirtualOptions(address=given.address, dns=given.dns, lua=given.lua, mac=given.mac)
    doors = Doors(pty_link=given.pty)
    asyncio.run(
        serve(options, doors, lambda line: print(line, flush=True), lambda options: StalledBoard(options, given.stalls))
    )


if __name__ == "__main__":
    main()
