"""bridge/rack/rack.py: what is asked for, and what is said when it cannot be had."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import NoPlace, PlaceBusy, UsageError
from bridge.rack import Needs, Rack, RackFile
from bridge.rack.model import Capabilities, Place
from tests.rack.witness import witness


def test_what_no_place_can_ever_be_is_refused_at_once(tmp_path: Path) -> None:
    places = [
        Place(name="a", port="virtual:", capabilities=Capabilities(modules=["net"])),
        Place(name="b", port="virtual:", tags=["x"], capabilities=Capabilities(modules=["net", "tls"])),
    ]
    rack = Rack(RackFile(version=1, places=places), folder=tmp_path)

    async def scenario() -> None:
        with pytest.raises(NoPlace) as caught:
            await rack.claim(Needs(modules=frozenset({"tls"}), tags=frozenset({"y"})))
        assert str(caught.value) == (
            "No place of the rack fits (module tls, tag y): a lacks the tag y, lacks the module tls; "
            "b lacks the tag y. Ask for less, or add one to the rack."
        )
        assert caught.value.exit_code == 2
        with pytest.raises(NoPlace, match="2 boards with tag x are wanted, and 1 places of the rack fit"):
            await rack.claim_many(2, Needs(tags=frozenset({"x"})))
        with pytest.raises(UsageError, match="0 boards cannot be claimed"):
            await rack.claim_many(0)
        with pytest.raises(UsageError, match="The rack has no place c"):
            rack.place("c")
        async with await rack.claim(Needs(modules=frozenset({"tls"}))) as lease:
            assert lease.place.name == "b"
            assert lease.url == "virtual:"
            async with lease.open_board() as board:
                assert await board.eval("1+1") == 2

    asyncio.run(scenario())


def test_several_boards_at_once_are_all_or_none(tmp_path: Path) -> None:
    async def scenario(urls: list[str]) -> None:
        rack = Rack.of_ports(urls, folder=tmp_path)
        one = await rack.claim(Needs(place="board-2"))
        with pytest.raises(PlaceBusy, match="board-2 is held by PID"):
            await rack.claim_many(2, timeout=0.1)
        assert rack.status().places[0].state == "free"
        waiting = asyncio.create_task(rack.claim_many(2, timeout=20))
        await one.release()
        for lease in await waiting:
            await lease.release()

    with witness() as first, witness() as second:
        asyncio.run(scenario([f"socket://127.0.0.1:{seen.port}" for seen in (first, second)]))


def test_a_claim_that_is_cancelled_keeps_nothing(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        lease = await rack.claim()
        waiting = asyncio.create_task(rack.claim())
        while not lease.is_wanted():  # noqa: ASYNC110  it is told by files
            await asyncio.sleep(0.01)
        waiting.cancel()
        await lease.release()
        async with await rack.claim(timeout=20):
            pass
        assert rack.status().waiting == []

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


def test_what_is_no_port_makes_no_rack() -> None:
    with pytest.raises(UsageError):
        Rack.of_ports(["ftp://x"])


def test_boards_of_this_process_and_others_are_claimed_together(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        rack = Rack.of_ports(["virtual:", url, "virtual:"], folder=tmp_path)
        leases = await rack.claim_many(3, timeout=20)
        assert sorted(lease.place.name for lease in leases) == ["board-1", "board-2", "board-3"]
        with pytest.raises(PlaceBusy, match="this process holds board-1, board-3"):
            await rack.claim_many(2, timeout=0.1)
        waiting = asyncio.create_task(rack.claim_many(3, timeout=20))
        for lease in leases:
            await asyncio.sleep(0)
            assert not waiting.done(), "it wants all"
            await lease.release()
        leases = await waiting
        # Who gets the others in vain keeps none of this process.
        await leases[0].release()
        with pytest.raises(PlaceBusy):
            await rack.claim_many(2, timeout=0.1)
        async with await rack.claim(timeout=0):
            pass

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


@pytest.mark.parametrize("urls", [["/dev/null", "/dev/null"], ["/dev/null", "/dev/../dev/null"], [""], []])
def test_what_makes_no_rack_of_ports_is_said_in_a_sentence(urls: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        Rack.of_ports(urls)
    assert len(str(caught.value).splitlines()) == 1
