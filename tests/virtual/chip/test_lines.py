from __future__ import annotations

import pytest

from bridge.virtual.chip.lines import Levels, levels


@pytest.mark.parametrize(
    "dtr,rts,expected",
    [
        (False, False, Levels(en=True, gpio0=True)),
        (True, True, Levels(en=True, gpio0=True)),
        (False, True, Levels(en=False, gpio0=True)),
        (True, False, Levels(en=True, gpio0=False)),
    ],
)
def test_only_a_line_asserted_alone_acts(dtr: bool, rts: bool, expected: Levels) -> None:
    assert levels(dtr, rts) == expected
