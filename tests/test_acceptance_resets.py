"""Resets at every point of opening, of a change of speed, of a transfer and of closing; a sample of the campaign.

The whole of it, more than 500 points, is run by scripts/nightly (tests/test_nightly.py).
"""

from __future__ import annotations

import pytest

from tests.reset_points import PHASES, judge, points, run


@pytest.mark.timeout(180)
@pytest.mark.parametrize("phase", PHASES)
def test_a_board_that_is_restarted_can_be_used_again_soon_and_delivers_nothing_stale(phase: str) -> None:
    for kind, moment in points(phase, 2, seed=1):
        print(f"{kind} at {moment:.6f}")
        judge(run(kind, moment))
