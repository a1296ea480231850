from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from pathlib import Path

import pytest

from bridge.errors import PlaceBusy, PlaceFailed
from bridge.labgrid_place.rack import LabgridRack
from bridge.rack.needs import Needs
from tests.labgrid_place.conftest import PATIENCE, until
from tests.labgrid_place.laboratory import Laboratory
from tests.labgrid_place.test_keeper import Keeper

pytestmark = PATIENCE


def test_the_strategy_of_its_target_makes_a_place_ready(lab: Laboratory) -> None:
    drivers = "    drivers:\n      NodeMCUDriver: {}\n      NodeMCUStrategy: {}\n"

    async def main() -> None:
        plain = await LabgridRack.open(lab.coordinator)
        async with await plain.claim(Needs(place="shelf")) as lease, lease.open_board() as board:
            await board.exec("prepare_mark = 1")
        rack = await LabgridRack.open(str(lab.env_file("ready.yaml", main="shelf", drivers=drivers)))
        async with await rack.claim() as lease, lease.open_board() as board:
            assert await board.eval("prepare_mark") is None, "it was restarted on the way"

    asyncio.run(main())


def test_a_strategy_that_fails_refuses_the_place_and_says_why(lab: Laboratory) -> None:
    drivers = "    drivers:\n      NodeMCUDriver: {}\n      NodeMCUStrategy: {image: no-such-image}\n"

    async def main() -> None:
        rack = await LabgridRack.open(str(lab.env_file("fails.yaml", main="shelf", drivers=drivers)))
        with pytest.raises(PlaceFailed, match="The place shelf cannot be made ready: .*no-such-image"):
            await rack.claim()
        assert "shelf" not in lab.client("who")

    asyncio.run(main())


def test_a_power_driver_of_its_target_switches_its_power_in_the_name_of_the_lease(
    lab: Laboratory, tmp_path: Path
) -> None:
    log = tmp_path / "power.log"
    switch = tmp_path / "switch"
    switch.write_text(f'#!/bin/sh\necho "$1 $LG_USERNAME" >>{log}\n')
    switch.chmod(0o755)
    power_driver = f"      ExternalPowerDriver: {{cmd_on: '{switch} on', cmd_off: '{switch} off', delay: 0.1}}\n"
    before, after = (f"      NodeMCUDriver: {{}}\n{power_driver}", "      NodeMCUStrategy: {}\n")

    async def main() -> None:
        rack = await LabgridRack.open(
            str(lab.env_file("power.yaml", main="shelf", drivers="    drivers:\n" + before + after))
        )
        async with await rack.claim() as lease:
            said = log.read_text().split()
            assert said[::2] == ["off", "on"], "the strategy begins without power"
            power = lease.place.power.command
            assert power is not None and power.cycle is not None
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(*power.cycle, stdout=subprocess.DEVNULL)
            assert await process.wait() == 0 and time.monotonic() - began < 60
            said = log.read_text().split()[4:]
            assert said[::2] == ["off", "on"] and lease.name.endswith(said[1])  # type: ignore[attr-defined]
        # labgrid binds what stands before: a power driver behind the strategy is not left out silently.
        wrong = lab.env_file(
            "order.yaml", main="shelf", drivers="    drivers:\n" + "      NodeMCUDriver: {}\n" + after + power_driver
        )
        with pytest.raises(PlaceFailed, match="stands behind the strategy"):
            await (await LabgridRack.open(str(wrong))).claim()
        # The command is of no use without the lease.
        process = await asyncio.create_subprocess_exec(*power.cycle, stdout=subprocess.DEVNULL)
        assert await process.wait() != 0 and len(log.read_text().split()) == 8

    asyncio.run(main())


def test_a_board_that_is_being_made_ready_is_nobody_elses(lab: Laboratory, tmp_path: Path) -> None:
    # The strategy is at work for as long as the file is not there.
    begun, go = tmp_path / "begun", tmp_path / "go"
    wait = tmp_path / "wait"
    wait.write_text(f"#!/bin/sh\ntouch {begun}\nuntil test -e {go}; do sleep 0.05; done\n")
    wait.chmod(0o755)
    drivers = (
        f"    drivers:\n      NodeMCUDriver: {{}}\n      ExternalPowerDriver: {{cmd_on: 'true', cmd_off: '{wait}'}}\n"
        "      NodeMCUStrategy: {}\n"
    )
    env = lab.env_file("slow.yaml", main="shelf", drivers=drivers)
    keeper = Keeper(do="claim", env=str(env), names=["shelf"], timeout=30.0, ttl=30.0)

    async def main() -> None:
        await until(begun.exists)
        keeper.socket.shutdown(socket.SHUT_RDWR)  # its holder dies
        rack = await LabgridRack.open(lab.coordinator)
        with pytest.raises(PlaceBusy):
            await rack.claim(Needs(place="shelf"), timeout=2.0)
        go.touch()
        async with await rack.claim(Needs(place="shelf"), timeout=60):
            assert keeper.wait() == 0

    asyncio.run(main())


def test_where_labgrid_knows_no_power_control_there_is_none(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        async with await rack.claim() as lease:
            assert lease.place.power.command is None

    asyncio.run(main())
