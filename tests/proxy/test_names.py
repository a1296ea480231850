"""Names are asked for once, by the board."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import DNSFailed
from bridge.proxy import names
from bridge.proxy.names import Names
from tests.proxy.rig import Rig, rig, until


def counting(one: Rig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the board is asked for from now on."""
    asked: list[str] = []
    resolve = one.board.net.dns.resolve

    async def counted(host: str) -> str | None:
        asked.append(host)
        return await resolve(host)

    monkeypatch.setattr(one.board.net.dns, "resolve", counted)
    return asked


async def test_an_address_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as one:
        asked = counting(one, monkeypatch)
        assert await Names(one.board).address("10.0.0.7") == "10.0.0.7"
        with pytest.raises(DNSFailed):
            await Names(one.board).address("2001:db8::1")
        assert asked == []


async def test_who_asks_for_the_same_shares_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as one:
        asked, known = counting(one, monkeypatch), Names(one.board)
        both = await asyncio.gather(*(known.address(name) for name in ("web.test", "WEB.test", "web.test")))
        assert (both, asked) == ([one.host] * 3, ["web.test"])
        assert await known.address("web.test") == one.host
        assert await known.address("other.test") == one.host
        assert asked == ["web.test", "other.test"]


async def test_an_address_is_asked_for_again_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as one:
        asked, known = counting(one, monkeypatch), Names(one.board)
        monkeypatch.setattr(names, "KEPT", 0.0)
        for _ in range(2):
            await known.address("web.test")
        assert asked == ["web.test"] * 2


async def test_so_many_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as one:
        asked, known = counting(one, monkeypatch), Names(one.board)
        monkeypatch.setattr(names, "MOST", 1)
        for name in ("web.test", "other.test", "web.test"):
            await known.address(name)
        assert asked == ["web.test", "other.test", "web.test"]


async def test_a_name_that_nobody_knows_is_told_to_all_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig() as one:
        asked, known = counting(one, monkeypatch), Names(one.board)
        both = await asyncio.gather(*(known.address("nobody.test") for _ in range(2)), return_exceptions=True)
        assert [type(each) for each in both] == [DNSFailed] * 2 and asked == ["nobody.test"]
        assert not known._asked and not known._known


async def test_one_who_gives_up_does_not_end_it_for_others_and_the_last_one_does() -> None:
    async with rig() as one:
        known = Names(one.board)
        waiting = [asyncio.ensure_future(known.address("nobody.test")) for _ in range(2)]
        await until(lambda: len(known._asked) == 1, "question")
        [question] = known._asked.values()
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        assert not question.task.cancelled() and not question.task.cancelling()
        waiting[1].cancel()
        await asyncio.wait([waiting[1], question.task])
        assert question.task.cancelled() and not known._asked
