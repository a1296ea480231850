"""tests/campaigns/leases.py: never two holders, none orphaned, freed in time."""

from __future__ import annotations

import asyncio

import pytest

from tests.board_process import announced, board_process
from tests.campaigns.leases import FAST, Campaign, Sum


def judge(found: Sum, kills: int, ttl: float) -> None:
    print(found)
    assert found.wrong == []
    assert found.lost_unasked == []
    assert found.kills == kills
    assert max(found.freed, default=0.0) <= ttl
    assert max(found.after_stop, default=0.0) <= 2 * ttl


def test_a_short_campaign() -> None:
    """On witnesses alone, so that it takes seconds."""
    campaign = Campaign(
        workers=4, boards=[None, None], leases=60, kills=3, stops=3, ttl=2.0, seed=7
    )  # fmt: skip
    judge(asyncio.run(campaign.run()), 3, 2.0)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 2])
def test_eight_workers_on_four_boards(seed: int) -> None:
    with board_process("--rfc2217", "127.0.0.1:0", "--shelf", "4", *FAST) as shelf:
        boards: list[tuple[str, int] | None] = [
            ("127.0.0.1", int(announced(shelf)[1].rpartition(":")[2])) for _ in range(4)
        ]
        campaign = Campaign(workers=8, boards=boards, leases=2000, kills=50, stops=40, ttl=4.0, seed=seed)
        found = asyncio.run(campaign.run())
    assert found.leases >= 2000
    judge(found, 50, 4.0)
