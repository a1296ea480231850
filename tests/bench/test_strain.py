from __future__ import annotations

from bridge.bench.strain import strain_of


def test_a_board_that_keeps_no_statistics_has_none() -> None:
    assert strain_of(None) is None
    assert strain_of(object()) is None
