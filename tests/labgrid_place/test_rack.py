from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bridge.errors import NoPlace, PlaceBusy, RackError, UsageError
from bridge.labgrid_place.rack import LabgridRack, ask, place_of
from bridge.rack.needs import Needs
from tests.labgrid_place.conftest import PATIENCE, until
from tests.labgrid_place.laboratory import Laboratory

pytestmark = PATIENCE

SAID: dict[str, Any] = {
    "name": "desk", "port": "labgrid://host:1/desk", "mac": None, "profile": None, "tags": ["a"],
    "modules": None, "flash": None, "lua": None, "reset": "lines",
}  # fmt: skip


def test_the_places_of_a_coordinator_are_a_rack(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        desk, shelf = rack.places
        assert (desk.name, desk.mac, desk.power.reset) == ("desk", "5c:cf:7f:00:01:01", "none")
        assert (shelf.name, shelf.tags, shelf.capabilities.flash) == ("shelf", ["quick"], 4 << 20)
        assert shelf.port == f"labgrid://{lab.coordinator}/shelf"
        named = await LabgridRack.open(str(lab.env_file("one.yaml", only="shelf")))
        assert [place.name for place in named.places] == ["shelf"]

    asyncio.run(main())


def test_needs_choose_the_place_and_what_is_lacking_is_said(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        async with await rack.claim(Needs(tags=frozenset({"on-tty"}))) as lease:
            assert lease.place.name == "desk"
        with pytest.raises(NoPlace, match="desk lacks the module u8g2; shelf lacks the module u8g2"):
            await rack.claim(Needs(modules=frozenset({"u8g2"})))

    asyncio.run(main())


def test_all_or_none_and_who_holds_what(lab: Laboratory) -> None:
    async def main() -> None:
        told: list[Any] = []
        rack = await LabgridRack.open(lab.coordinator, told=told.append)
        async with await rack.claim(Needs(place="shelf")):
            with pytest.raises(PlaceBusy, match=r"No place is free: shelf is held by .* since 20\d\d-"):
                await rack.claim_many(2, timeout=1.0)
            assert "shelf" in told[-1]
            assert [one["holder"] is None for one in (await ask(lab.coordinator))["places"]] == [True, False]
        leases = await rack.claim_many(2, timeout=30)
        assert [lease.place.name for lease in leases] == ["desk", "shelf"]
        for lease in leases:
            await lease.release()
        with pytest.raises(NoPlace, match="3 boards"):
            await rack.claim_many(3)
        with pytest.raises(UsageError):
            await rack.claim_many(0)

    asyncio.run(main())


def test_a_claim_that_is_given_up_leaves_nothing(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        async with await rack.claim(Needs(place="shelf")) as lease:
            claim = asyncio.ensure_future(rack.claim(Needs(place="shelf")))
            await until(lease.is_wanted)
            claim.cancel()
            with pytest.raises(asyncio.CancelledError):
                await claim
            await until(lambda: not lease.is_wanted())
            assert "shelf" not in lab.client("reservations")

    asyncio.run(main())


def test_where_nobody_coordinates_it_is_one_sentence(labgrid: object) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            RackError, match=f"No coordinator of labgrid answers at {address}. Start labgrid-coordinator"
        ):
            asyncio.run(LabgridRack.open(address))


def test_facts_that_cannot_be_are_named() -> None:
    assert place_of(SAID).name == "desk"
    with pytest.raises(UsageError, match="The place desk of labgrid cannot be used: mac: .*exporter's file"):
        place_of({**SAID, "mac": "not one"})
    command = place_of(SAID, ["switch", "desk"]).power.command
    assert command is not None and command.cycle == ["switch", "desk", "cycle"]
