"""A slice of the fuzzing that scripts/fuzz does for long."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.campaigns.fuzz import Fuzzer


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_input_raises_typed_errors_alone(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(12_000)
    assert fuzzer.counts["RemoteProtocolError"] > 500 and fuzzer.counts["Failed"] > 20
    assert fuzzer.counts["MessageReceived"] > 5 and fuzzer.counts["accepted as frames"] == 0


def test_hostile_input_is_not_kept() -> None:
    fuzzer = Fuzzer(3)
    fuzzer.run(600)
    tracemalloc.start()
    fuzzer.run(600)
    before = tracemalloc.get_traced_memory()[0]
    fuzzer.run(1_200)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after < before + 500_000


@pytest.mark.nightly
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", [11, 12])
def test_a_million_hostile_inputs(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    fuzzer.run(1_000_000)
    assert fuzzer.counts["accepted as frames"] <= 1, "more than the check's share of chance"
