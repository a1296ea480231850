from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.chip.chip import Mode
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.reset_sequence import SEQUENCE_S, Lines
from tests.virtual.chip.bench import MB, Bench, run


class Remote:
    """A client's hand on the lines of a chip."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.lines = Lines(lambda *, dtr, rts: bench.chip.set_lines(dtr, rts))

    async def play(self, sequence: str, apart: float) -> None:
        """As esptool writes a custom sequence: D0, D1, R0, R1, W<seconds>; `apart` seconds between any two."""
        for step in sequence.split("|"):
            if step[0] == "W":
                await asyncio.sleep(float(step[1:]))
            elif step[0] == "D":
                self.lines.set(dtr=step[1] == "1")
            else:
                self.lines.set(rts=step[1] == "1")
            await asyncio.sleep(apart)


#: esp_pylib's classic reset: after each change of RTS the current DTR is written again.
CLASSIC = "D0|R1|D0|W0.1|D1|R0|D1|W0.05|D0"
HARD = "R1|D0|W0.1|R0|D0"


async def stuck(bench: Bench) -> Remote:
    bench.chip.power_on()
    await bench.until(Mode.STUCK)
    bench.modes.clear()
    return Remote(bench)


@pytest.mark.parametrize("apart", [0.0, 0.002, 0.051, 0.1, 0.2])
@pytest.mark.parametrize("opened", ["D1|R1", "D0|R0", "R1|D1"])
def test_classic_sequence_at_any_pace(apart: float, opened: str) -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play(opened, apart)
        await remote.play(CLASSIC, apart)
        await asyncio.sleep(1)
        assert bench.chip.mode is Mode.DOWNLOAD
        bench.modes.clear()
        await remote.play(HARD, apart)
        await bench.until(Mode.STUCK)
        assert bench.modes == [Mode.HELD, Mode.ROM, Mode.STUCK]

    run(FlashMemory(MB), play)


@pytest.mark.parametrize("opened", ["D1|R1", "D0|R0", "D1|R0", "D0|R0|D1|R1|R0|D0"])
def test_opening_and_closing_does_not_reset(opened: str) -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play(opened, 0.051)
        remote.lines.release()
        await asyncio.sleep(1)
        assert bench.modes == []

    run(FlashMemory(MB), play)


def test_a_reset_that_goes_no_further_ends_with_a_normal_boot() -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play("R1|W0.1|D1", 0.0)
        assert bench.chip.mode is Mode.HELD
        await asyncio.sleep(SEQUENCE_S + 0.1)
        assert bench.modes == [Mode.HELD, Mode.ROM, Mode.STUCK]

    run(FlashMemory(MB), play)


def test_letting_go_ends_a_reset() -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play("R1|W0.1", 0.0)
        remote.lines.release()
        await bench.until(Mode.STUCK)
        assert (remote.lines.dtr, remote.lines.rts) == (False, False)

    run(FlashMemory(MB), play)


def test_gpio0_stays_low_though_a_late_client_lets_it_go_at_once() -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play("R1|W0.1|D1|R0|D0", 0.0)
        await asyncio.sleep(0.2)
        assert bench.chip.mode is Mode.DOWNLOAD

    run(FlashMemory(MB), play)


def test_a_reset_right_behind_another_is_not_lost() -> None:
    async def play(bench: Bench) -> None:
        remote = await stuck(bench)
        await remote.play("R1|W0.1|D1|R0|D0|W0.01|R1|W0.02|R0", 0.0)
        await asyncio.sleep(0.5)
        assert bench.chip.mode is Mode.STUCK

    run(FlashMemory(MB), play)
