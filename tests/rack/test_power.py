from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bridge.errors import PlaceFailed
from bridge.rack import power
from bridge.rack.model import Place, Power, PowerCommands, RackFile
from bridge.rack.rack import Rack

BOARD = "virtual:?baud_pacing=0&cpu=0"


def rack(folder: Path, **power: object) -> Rack:
    place = Place(name="shelf-1", port=BOARD, power=Power(**power))  # type: ignore[arg-type]
    return Rack(RackFile(version=1, places=[place]), folder=folder)


def test_the_lines_reset_a_board(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await rack(tmp_path).claim() as lease:
            heard, greeted = bytearray(), asyncio.Event()

            def receive(data: bytes) -> None:
                heard.extend(data)
                if b"NodeMCU" in heard:
                    greeted.set()

            port = await lease.open_port()
            port.set_receiver(receive)
            await power._pulse(port, 0.05)
            async with asyncio.timeout(10):
                await greeted.wait()
            await port.close()
            await power.reset(lease)

    asyncio.run(scenario())


def test_programs_switch_the_power_and_know_the_place(tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"import os,sys;open({str(said)!r},'a').write(sys.argv[1]+os.environ['NODEMCU_PLACE']+'\\n')"
    command = PowerCommands(on=[sys.executable, "-c", script, "on "], off=[sys.executable, "-c", script, "off "])

    async def scenario() -> None:
        async with await rack(tmp_path, command=command).claim() as lease:
            await power.power_cycle(lease)

    asyncio.run(scenario())
    assert said.read_text() == "off shelf-1\non shelf-1\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such/program"], "/no/such/program cannot be run (No such file or directory)"),
        ([sys.executable, "-c", "print('no hub', flush=True); raise SystemExit(3)"], "failed (exit code 3): no hub"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "does not end within 0.5 s"),
    ],
)
def test_a_program_that_fails_is_named(
    tmp_path: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "0.5" in words:
        monkeypatch.setattr(power, "_PROGRAM_S", 0.5)

    async def scenario() -> None:
        async with await rack(tmp_path, command=PowerCommands(cycle=arguments)).claim() as lease:
            with pytest.raises(PlaceFailed) as caught:
                await power.power_cycle(lease)
            assert words in str(caught.value) and "shelf-1: " in str(caught.value)

    asyncio.run(scenario())


def test_what_a_place_has_not_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await rack(tmp_path, reset="none").claim() as lease:
            with pytest.raises(PlaceFailed, match="shelf-1 has no reset lines"):
                await power.reset(lease)
            with pytest.raises(PlaceFailed, match="shelf-1 has no power command"):
                await power.power_cycle(lease)

    asyncio.run(scenario())
