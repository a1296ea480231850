"""One life of a whole virtual board on a line that damages bytes, by seed: opened, called both ways, closed.

Everything is real: the boot, the prompt, the bootstrap, the speeds of the line, the agent's Lua, the prompt at the end.

    python -m tests.campaigns.boards --sessions 200 --top 0.01 --mix each
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import random
import statistics
import traceback
from collections import Counter
from dataclasses import dataclass, field

from bridge import agent
from bridge.board import Board
from bridge.errors import BridgeError
from bridge.opening import open_board
from bridge.ports.base import CONSOLE_BAUD
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort

KINDS = ("drop", "flip", "duplicate", "delay")
#: Ways to draw the shares of the four kinds: each up to the top, their sum up to the top, all of them at the top.
MIXES = ("each", "sum", "all")
#: Bytes of arguments: what a frame holds, a little more or less, several frames, nearly the longest message.
SIZES = (0, 1, 30, 120, 233, 300, 700, 1300, 2000)
#: Bytes of arguments of calls that are made at once, at most, unless it is one call.
AT_ONCE = 1000
#: What an opening may take at most, by the deadlines of its parts: three tries of agent.start, and the ladder.
OPENING_SECONDS = 400.0
#: What the end may take.
CLOSING_SECONDS = 20.0
#: Where an error was raised, by the function that was at work: what the life was at.
_STAGES = {
    "_find_prompt": "console",
    "prepare": "checks",
    "_probe": "probe",
    "_launch": "agent start",
    "run": "bootstrap",
    "climb": "speed",
}
#: Made on the board: keeps what it is called with, prints, and calls back.
_PROGRAM = """
local back = ...
function ECHO(n, s) CALLED = (CALLED or 0) + 1 back(n, s:sub(-200)) if n % 3 == 0 then print("call " .. n) end
return n, s end
"""


def shares(mix: str, top: float, rng: random.Random) -> dict[str, float]:
    """The share of each kind of damage on one line."""
    if mix == "all":
        return dict.fromkeys(KINDS, top)
    drawn = [rng.random() for _ in KINDS]
    scale = top * rng.random() / sum(drawn) if mix == "sum" else top
    return {kind: scale * value for kind, value in zip(KINDS, drawn, strict=True)}


@dataclass
class Life:
    """What became of a board's life."""

    seed: int
    faults: dict[str, float]
    stage: str = "opening"
    """What it was at; "over" when everything was done."""
    error: BridgeError | None = None
    seconds: float = 0.0
    opened: float = 0.0
    baud: int = 0
    calls: int = 0
    """Calls that were answered rightly."""
    downs: list[str] = field(default_factory=list)
    """Why links ended that were not closed, and that the board came back from."""

    @property
    def delivered(self) -> bool:
        """Everything arrived, and the board has its prompt again."""
        return self.stage == "over"

    def __str__(self) -> str:
        faults = " ".join(f"{kind}={share:.2%}" for kind, share in self.faults.items())
        end = "all delivered" if self.delivered else f"{self.stage}: {type(self.error).__name__}: {self.error}"
        return f"seed {self.seed} {faults} {self.baud} baud, open {self.opened:.1f} s, {self.seconds:.1f} s: {end}"


def stage_of(error: BaseException, otherwise: str) -> str:
    """What was at work when an error was raised."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.name in _STAGES and ("agent" in frame.filename or "loader" in frame.filename or frame.name == "climb"):
            return _STAGES[frame.name]
    return otherwise


def live(seed: int, top: float, mix: str, *, calls: int = 60) -> Life:
    """Play one life on a clock of its own.

    Raises:
        AssertionError: something arrived wrong, twice, out of order or not at all, or an end came too late.
    """
    rng = random.Random(seed)
    life = Life(seed, shares(mix, top, rng))
    options = VirtualOptions(
        clock="virtual", seed=seed, lua=rng.choice(["5.1", "5.3"]), adapter_latency_ms=rng.choice([1.0, 16.0]),
        modules=rng.choice(["net,node,ow,tmr,uart", "net,node,tmr,uart"]), **life.faults,
    )  # fmt: skip
    clock.run(_live(life, options, calls, rng))
    return life


async def _live(life: Life, options: VirtualOptions, calls: int, rng: random.Random) -> None:
    loop = asyncio.get_running_loop()
    async with VirtualBoard(options) as virtual:
        await virtual.answered()
        port = VirtualPort(virtual)
        began = loop.time()
        try:
            board = await open_board(port, start=functools.partial(agent.start, rng=random.Random(rng.random())))
        except BridgeError as error:
            life.stage, life.error = stage_of(error, "opening"), error
            assert loop.time() - began < OPENING_SECONDS
            return
        finally:
            life.opened = life.seconds = loop.time() - began
        life.baud = port.baud
        try:
            life.stage = "calls"
            await _calls(life, board, calls, rng)
            life.stage = "close"
        except BridgeError as error:
            life.error = error
        life.seconds = loop.time() - began
        closing = loop.time()
        await board.close()
        assert loop.time() - closing < CLOSING_SECONDS
        if life.stage == "close":
            await asyncio.sleep(0.1)
            if virtual.chip.takes_lines and virtual.chip.baud == CONSOLE_BAUD:
                life.stage = "over"
        await port.close()


async def _calls(life: Life, board: Board, calls: int, rng: random.Random) -> None:
    said: list[tuple[object, ...]] = []
    wanted: list[tuple[object, ...]] = []
    faults: list[str] = []
    board.on("reset", lambda error: life.downs.append(str(error)))
    board.on("fault", faults.append)
    await board.exec(_PROGRAM, lambda *values: said.append(values))
    # Several at once, so that there is traffic both ways; but no more than a line with 1 % of each kind of damage,
    # which carries 500 bytes a second, moves within the deadline of a call. A call that fails ends the life.
    done = 0
    while done < calls:
        chunks: dict[int, bytes] = {}
        while done < calls and (not chunks or len(chunks) < 3 and sum(map(len, chunks.values())) < AT_ONCE):
            chunks[done] = rng.randbytes(rng.choice(SIZES))
            if len(chunks) > 1 and sum(map(len, chunks.values())) > AT_ONCE:
                del chunks[done]
                break
            done += 1
        wanted += [(n, chunk[-200:]) for n, chunk in chunks.items()]
        try:
            answers = await asyncio.gather(
                *(board.lua.ECHO(n, chunk) for n, chunk in chunks.items()), return_exceptions=True
            )
        finally:
            assert said == wanted[: len(said)], "a callback came wrong, twice or out of order"
        for (n, chunk), answer in zip(chunks.items(), answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            assert answer == (n, chunk), "a wrong answer"
            life.calls += 1
    assert said == wanted, "a callback was lost"
    assert await board.eval("CALLED") == calls, "a call was lost or came twice"
    assert faults == []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="seed of the first life")
    parser.add_argument("--top", type=float, default=0.01, help="largest share of bytes")
    parser.add_argument("--mix", choices=MIXES, default="each")
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--all", action="store_true", help="print each life, not only those that failed")
    args = parser.parse_args()
    lives = []
    for seed in range(args.first, args.first + args.sessions):
        try:
            life = live(seed, args.top, args.mix, calls=args.calls)
        except Exception as error:
            life = Life(seed, {}, "WRONG")
            print(f"seed {seed}: WRONG: {type(error).__name__}: {error}", flush=True)
        lives.append(life)
        if args.all or not life.delivered:
            print(life, flush=True)
    print(summary(lives, args.top, args.mix))


def summary(lives: list[Life], top: float, mix: str) -> str:
    """One line on many lives, and one on where the others ended."""
    good = [life for life in lives if life.delivered]
    stages = Counter(f"{life.stage}: {type(life.error).__name__}" for life in lives if not life.delivered)
    means = [
        f"{statistics.fmean(times):.1f} s"
        for times in ([life.opened for life in good], [life.seconds for life in good])
        if times
    ]
    speeds = Counter(life.baud for life in good)
    return (
        f"{len(lives)} lives, {mix} up to {top:.1%}: everything arrived in {len(good) / len(lives):.1%}; "
        f"opening and whole took {' and '.join(means)} on average; speeds {dict(speeds)}\n"
        f"the others ended at: {dict(stages)}"
    )


if __name__ == "__main__":
    main()
