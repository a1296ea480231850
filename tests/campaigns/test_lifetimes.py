"""Sockets, servers, timers and functions that come and go leave nothing on the board and nothing on the host."""

from __future__ import annotations

import itertools

import pytest

from tests.campaigns.lifetimes import KINDS, live, serve
from tests.campaigns.stage import BUILDS, Left, Stage, play
from tests.variants import by_night

#: Cycles of each kind in the nightly campaign; a thousand of the others.
WHOLE = {"dropped": 10_000}


#: Each kind on one build, each build in turn: a slice of what scripts/nightly plays.
SLICE = list(zip(KINDS, itertools.cycle(BUILDS), strict=False))


@pytest.mark.parametrize(("kind", "build"), SLICE)
def test_nothing_is_left_of_a_few_cycles(kind: str, build: str) -> None:
    outcome = live(kind, 25, build)
    print(outcome)
    outcome.judge()


@pytest.mark.parametrize("build", by_night(BUILDS, but=["5.3"]))
@pytest.mark.parametrize("serves", [False, True], ids=["nothing else", "a server"])
def test_many_sockets_at_once_leave_no_wider_tables_than_a_few(build: str, serves: bool) -> None:
    """A Lua table keeps its size: how many handles Python's collector takes at a time must leave no trace."""
    found: list[Left] = []

    async def scenario(stage: Stage) -> None:
        server = await serve(stage) if serves else None
        for many in (1, 24, 3, 12):
            sockets = [await stage.board.net.createConnection() for _ in range(many)]
            assert stage.table._live
            while sockets:
                await sockets.pop().release()
            found.append(await stage.left())
        if server is not None:
            await server.release()

    play(scenario, **BUILDS[build])
    print(*found, sep="\n")
    assert {(left.objects, left.books) for left in found} == {(serves, serves)}
    assert len({left.heap for left in found}) == 1, [left.heap for left in found]


@pytest.mark.nightly
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_a_thousand_cycles(kind: str, build: str) -> None:
    outcome = live(kind, WHOLE.get(kind, 1000), build)
    print(f"{kind} on {build}\n{outcome}")
    outcome.judge()
