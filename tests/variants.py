"""Variants of a long test: some are in the test command, the others are played every night.

@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
def test_something_that_takes_seconds(lua): ...
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def by_night(variants: Iterable[Any], *, but: Collection[Any]) -> list[Any]:
    """The variants for `pytest.mark.parametrize`, with the mark `nightly` on each that is not among `but`."""
    variants = list(variants)
    assert all(each in variants for each in but), f"{but} is not among {variants}"
    return [each if each in but else pytest.param(each, marks=pytest.mark.nightly) for each in variants]
