"""A board that loses its power in an upload has the old file, the new one, or the complete new one to be renamed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.campaigns.pulled_plug import points, run, upload


def play(uploads: int, each: int) -> Counter[str]:
    """Pull the plug so many times in each of so many uploads; how often which state was found."""
    states: Counter[str] = Counter()
    for seed in range(uploads):
        wanted = upload(seed)
        rng = random.Random(seed)
        for after in points(wanted, each, seed):
            again = rng.choice((None, rng.randrange(1200)))
            print(f"upload {seed} ({wanted.name}, {len(wanted.new)} bytes), pulled after {after}, again after {again}")
            states[run(wanted, after, again)] += 1
    return states


def test_a_few_plugs() -> None:
    states = play(3, 2)
    assert states["old"] and states["complete"]


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_hundreds_of_plugs() -> None:
    states = play(24, 6)
    print(states)
    assert states["old"] > 20 and states["complete"] > 20 and states["new"]
