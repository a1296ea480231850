"""Many bytes over a bad line through the real agent's Lua, each compared; and damaged frames that pass their check.

Run as `python -m tests.campaigns.bulk --mb 100 --seed 1`.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame
from bridge.wire.messages import DirectCall, Hello, Reply, Source
from bridge.wire.parts import Parts
from tests.campaigns.world import Line, LuaBoard, Mix, World

#: Bytes of one call; calls that wait for their answer at most.
CHUNK, UNANSWERED = 1200, 6
#: Both ways: one byte in 2500 is damaged; one in 10 000 stalls the line, and one keeps the board busy.
MIX = Mix(drop=0.0002, flip=0.0001, duplicate=0.0001, delay=0.0001, busy=0.0001)
#: Frames whose transmission a line remembers.
_REMEMBERED = 4096


class Judge(Line):
    """A line that knows what was sent over it, and counts what arrives otherwise and would be taken for a frame."""

    def __init__(self, mix: Mix, seed: float, codec: Codec, *, to_host: bool) -> None:
        super().__init__(mix, random.Random(seed), 0.001, 10 / 115200)
        self.counts: Counter[str] = Counter()
        self._sent: dict[Frame, None] = {}
        self._sending = self._arriving = b""
        self._parts_sent, self._parts_arrived = (Parts(codec, to_host=to_host) for _ in range(2))

    def put(self, data: bytes, now: float) -> None:
        *whole, self._sending = (self._sending + data).split(b"\0")
        for frame in (frame for segment in whole for _, frame in self._parts_sent.take(segment)):
            if frame is not None:
                self._sent.pop(frame, None)  # what is sent again is remembered as the latest
                self._sent[frame] = None
        while len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        super().put(data, now)

    def arrived(self, now: float) -> Iterator[bytes]:
        for piece in super().arrived(now):
            *whole, self._arriving = (self._arriving + piece).split(b"\0")
            for frame in (frame for segment in whole for _, frame in self._parts_arrived.take(segment)):
                self.counts["damaged" if frame is None else "whole" if frame in self._sent else "undetected"] += 1
            yield piece


@dataclass
class Report:
    """What came of it."""

    asked: int
    lines: tuple[Judge, Judge]
    world: World
    sent: int = 0
    wrong: int = 0
    seconds: float = 0.0
    damaged: Counter[str] = field(default_factory=Counter)
    error: str = ""

    @property
    def undetected(self) -> int:
        """Damaged segments that passed their check."""
        return sum(line.counts["undetected"] for line in self.lines)

    def __str__(self) -> str:
        text = [f"{self.sent} bytes each way in {self.seconds:.0f} s of the line's time: {self.wrong} wrong messages"]
        for way, line in zip(("board", "host"), self.lines, strict=True):
            figures = ", ".join(f"{line.counts[name]} {name}" for name in ("whole", "damaged", "undetected"))
            text.append(f"to the {way}: {line.bytes} bytes; segments: {figures}")
        return "\n".join([*text, self.error] if self.error else text)


def run(size: int, seed: int, mix: Mix = MIX, version: str = "5.1", kind: CheckKind = CheckKind.CRC) -> Report:
    """Send so many bytes to the board and have each come back."""
    codec = Codec(kind, 0xBEEF)
    board = LuaBoard(codec, version)
    world = World(board, codec, to_board=mix, to_host=mix, seed=seed, damage=mix.drop + mix.flip + mix.duplicate)
    rng = random.Random(seed)
    lines = (Judge(mix, rng.random(), codec, to_host=False), Judge(mix, rng.random(), codec, to_host=True))
    world.to_board, world.to_host = lines
    report = Report(size, lines, world)
    world.send(Source(b"return function(message) return message:sub(3) end"))
    number, waiting = 0, dict[int, bytes]()
    while report.sent < size or waiting:
        while report.sent < size and len(waiting) < UNANSWERED:
            number = number % 255 + 1
            waiting[number] = rng.randbytes(CHUNK)
            world.send(DirectCall(9, number, waiting[number]))
            report.sent += CHUNK
        if not world.run_until(lambda: world.got, 120.0):
            report.error = f"stopped: {world.failed[0] if world.failed else 'nothing comes any more'}"
            break
        for message in world.got:
            if isinstance(message, Hello):
                continue
            right = isinstance(message, Reply) and message.values == (waiting.pop(message.call_id, None),)
            report.wrong += not right
        world.got.clear()
        world.console = b""
    report.seconds = world.now
    report.wrong += len(board.firmware.errors)
    return report


def main() -> int:
    """Run and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lua", default="5.1")
    parser.add_argument("--check", default="crc", choices=[kind.value for kind in CheckKind])
    arguments = parser.parse_args()
    began = time.monotonic()
    report = run(int(arguments.mb * 1e6), arguments.seed, MIX, arguments.lua, CheckKind(arguments.check))
    print(f"Lua {arguments.lua}, {arguments.check}, seed {arguments.seed}, {MIX}")
    print(report)
    print(f"{time.monotonic() - began:.0f} s of this machine")
    return 1 if report.wrong or report.undetected or report.error else 0


if __name__ == "__main__":
    sys.exit(main())
