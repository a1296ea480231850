"""Long campaigns over many seeds, on the virtual clock; run by scripts/nightly."""

from __future__ import annotations

import statistics

import pytest

from bridge.virtual import clock
from tests import reset_points
from tests.test_acceptance_line import there_and_back

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("seed", range(100, 120))
@pytest.mark.parametrize(
    ("drop", "flip", "limit"),
    [(0.001, 0.0, 25.0), (0.0, 0.001, 25.0), (0.005, 0.005, 60.0), (0.01, 0.0, 60.0), (0.0, 0.01, 60.0)],
)
def test_bytes_arrive_unchanged_on_any_bad_line(drop: float, flip: float, limit: float, seed: int) -> None:
    assert clock.run(there_and_back(drop=drop, flip=flip, seed=seed)) < limit


#: Restarts to be tried in each phase of a board's life: 560.
RESETS = {
    "sync": 40, "loader": 60, "pieces": 120, "launch": 30, "greeting": 20,
    "try": 40, "proof": 40, "keep": 20, "transfer": 130, "stop": 60,
}  # fmt: skip


@pytest.mark.parametrize("phase", reset_points.PHASES)
def test_a_board_can_be_restarted_at_any_moment(phase: str) -> None:
    _try_restarts(phase, RESETS[phase], "5.1")


@pytest.mark.parametrize("phase", reset_points.PHASES)
def test_a_board_with_lua_53_can_be_restarted_at_any_moment(phase: str) -> None:
    _try_restarts(phase, 10, "5.3")


def _try_restarts(phase: str, count: int, lua: str) -> None:
    usable = []
    for kind, moment in reset_points.points(phase, count, seed=2, lua=lua):
        print(f"{kind} at {moment:.6f}")
        outcome = reset_points.run(kind, moment, lua=lua)
        reset_points.judge(outcome)
        if outcome.usable is not None:
            usable.append(outcome.usable)
    if usable:
        print(f"{phase}: usable {statistics.median(usable):.2f} s after the prompt, at worst {max(usable):.2f} s")
