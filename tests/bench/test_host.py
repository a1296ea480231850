from __future__ import annotations

import asyncio

import pytest

from bridge.bench.host import measure_host
from tests.bench.opened_rig import little_plan


@pytest.mark.parametrize(("rfc2217", "paced"), [(False, False), (True, False), (False, True)])
def test_both_ways_cost_something(rfc2217: bool, paced: bool) -> None:
    figures = asyncio.run(measure_host(little_plan(), rfc2217=rfc2217, paced=paced))
    assert figures.to_board > 0 and figures.to_host > 0
