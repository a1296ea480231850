from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from bridge.errors import PlaceBusy, PlaceFailed
from bridge.labgrid_place.rack import LabgridRack
from bridge.rack.needs import Needs
from tests.labgrid_place.conftest import PATIENCE, until
from tests.labgrid_place.laboratory import Laboratory
from tests.labgrid_place.test_lease import gone, holder

pytestmark = PATIENCE


def test_places_are_given_in_the_order_in_which_they_were_asked_for(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        order: list[int] = []

        async def one(number: int) -> None:
            async with await rack.claim(Needs(place="shelf")):
                order.append(number)

        async with await rack.claim(Needs(place="shelf")):
            waiting = []
            for number in range(4):
                waiting.append(asyncio.ensure_future(one(number)))
                await until(lambda: lab.client("reservations").count("name=shelf") == len(waiting))
            assert order == []
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2, 3]

    asyncio.run(main())


@pytest.mark.nightly
def test_a_place_whose_holders_machine_is_gone_is_given_back_by_who_waits(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        with holder(lab, "shelf", ttl=1.0) as (process, said):
            keeper = int(str(said["keeper"]))
            # Nothing of it runs on; nobody says good-bye.
            os.kill(keeper, signal.SIGSTOP)
            process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            async with await rack.claim(Needs(place="shelf"), timeout=60) as lease:
                assert time.monotonic() - began > 1.0, "not before its time to live is over"
                async with lease.open_board() as board:
                    assert await board.eval("6*7") == 42
                os.kill(keeper, signal.SIGCONT)
                await until(lambda: gone(keeper))
                lease.check()
                # The old one's end has not taken the new one's place away.
                assert lease.name in lab.client("-p", "shelf", "show")  # type: ignore[attr-defined]

    asyncio.run(main())


def test_a_place_that_a_person_holds_stays_theirs(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator, ttl=1.0)
        await asyncio.to_thread(lab.client, "-p", "shelf", "acquire")
        try:
            with pytest.raises(PlaceBusy, match="shelf is held by .*/.* since"):
                await rack.claim(Needs(place="shelf"), timeout=4.0)
        finally:
            await asyncio.to_thread(lab.client, "-p", "shelf", "release")

    asyncio.run(main())


@pytest.mark.nightly
def test_a_place_without_its_exporter_is_told(lab: Laboratory) -> None:
    lab.client("-p", "nowhere", "create")
    lab.client("-p", "nowhere", "add-match", "no-machine/nowhere/*")
    try:

        async def main() -> None:
            rack = await LabgridRack.open(str(lab.env_file("nowhere.yaml", main="nowhere")))
            with pytest.raises(PlaceFailed, match="nowhere: no exporter that is connected offers a serial port for it"):
                await rack.claim()

        asyncio.run(main())
    finally:
        lab.client("-p", "nowhere", "delete")
