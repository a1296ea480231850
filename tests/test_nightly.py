"""Long campaigns over many seeds, on the virtual clock; run by scripts/nightly."""

from __future__ import annotations

import pytest

from bridge.virtual import clock
from tests.test_acceptance_line import there_and_back

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("seed", range(100, 120))
@pytest.mark.parametrize(
    ("drop", "flip", "limit"),
    [(0.001, 0.0, 25.0), (0.0, 0.001, 25.0), (0.005, 0.005, 60.0), (0.01, 0.0, 60.0), (0.0, 0.01, 60.0)],
)
def test_bytes_arrive_unchanged_on_any_bad_line(drop: float, flip: float, limit: float, seed: int) -> None:
    assert clock.run(there_and_back(drop=drop, flip=flip, seed=seed)) < limit
