"""Sockets, servers, timers and functions that come and go leave nothing on the board and nothing on the host."""

from __future__ import annotations

import itertools

import pytest

from tests.campaigns.lifetimes import KINDS, live
from tests.campaigns.stage import BUILDS

#: Cycles of each kind in the nightly campaign; a thousand of the others.
WHOLE = {"dropped": 10_000}


# Each kind on one build, each build in turn: a slice of what scripts/nightly plays.
@pytest.mark.parametrize(("kind", "build"), list(zip(KINDS, itertools.cycle(BUILDS), strict=False)))
def test_nothing_is_left_of_a_few_cycles(kind: str, build: str) -> None:
    outcome = live(kind, 50, build)
    print(outcome)
    outcome.judge()


@pytest.mark.nightly
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_a_thousand_cycles(kind: str, build: str) -> None:
    outcome = live(kind, WHOLE.get(kind, 1000), build)
    print(f"{kind} on {build}\n{outcome}")
    outcome.judge()
