"""Names are asked for once, by the board."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import DNSFailed
from bridge.streams import names
from bridge.streams.names import Names
from tests.streams.worlds import BoardWorld

pytestmark = pytest.mark.world("board")


def known_of(world: BoardWorld) -> Names:
    world.network.zone |= {"web.test": "10.9.8.7", "other.test": "10.9.8.7"}
    return Names(world.board.net, world.board.url)


def counting(world: BoardWorld, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the board is asked for from now on."""
    asked: list[str] = []
    resolve = world.board.net.dns.resolve

    async def counted(host: str) -> str | None:
        asked.append(host)
        return await resolve(host)

    monkeypatch.setattr(world.board.net.dns, "resolve", counted)
    return asked


async def test_an_address_is_asked_of_nobody(world: BoardWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, known = counting(world, monkeypatch), known_of(world)
    assert await known.address("10.0.0.7") == "10.0.0.7"
    with pytest.raises(DNSFailed):
        await known.address("2001:db8::1")
    assert asked == []


async def test_who_asks_for_the_same_shares_the_answer(world: BoardWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, known = counting(world, monkeypatch), known_of(world)
    both = await asyncio.gather(*(known.address(name) for name in ("web.test", "WEB.test", "web.test")))
    assert (both, asked) == (["10.9.8.7"] * 3, ["web.test"])
    assert await known.address("web.test") == "10.9.8.7"
    assert await known.address("other.test") == "10.9.8.7"
    assert asked == ["web.test", "other.test"]


async def test_an_address_is_asked_for_again_when_it_is_old(world: BoardWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, known = counting(world, monkeypatch), known_of(world)
    await known.address("web.test")
    await asyncio.sleep(names.KEPT / 2)
    await known.address("web.test")
    assert asked == ["web.test"]
    await asyncio.sleep(names.KEPT)
    await known.address("web.test")
    assert asked == ["web.test"] * 2


async def test_so_many_are_kept_and_no_more(world: BoardWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, known = counting(world, monkeypatch), known_of(world)
    monkeypatch.setattr(names, "MOST", 1)
    for name in ("web.test", "other.test", "web.test"):
        await known.address(name)
    assert asked == ["web.test", "other.test", "web.test"]


async def test_a_name_that_nobody_knows_is_told_to_all_and_not_kept(
    world: BoardWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, known = counting(world, monkeypatch), known_of(world)
    both = await asyncio.gather(*(known.address("nobody.test") for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in both] == [DNSFailed] * 2 and asked == ["nobody.test"]
    assert not known._asked and not known._known


async def test_one_who_gives_up_does_not_end_it_for_others_and_the_last_one_does(world: BoardWorld) -> None:
    known = known_of(world)
    waiting = [asyncio.ensure_future(known.address("nobody.test")) for _ in range(2)]
    await asyncio.sleep(0.5)
    [question] = known._asked.values()
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    assert not question.task.cancelled() and not question.task.cancelling()
    waiting[1].cancel()
    await asyncio.wait([waiting[1], question.task])
    assert question.task.cancelled() and not known._asked
    await asyncio.sleep(20)  # the board has given it up as well
