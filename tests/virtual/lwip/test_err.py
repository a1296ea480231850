"""Error numbers and texts."""

from __future__ import annotations

from bridge.virtual.lwip.err import TEXTS, Err


def test_every_error_but_ok_has_a_text_and_the_numbers_are_those_of_the_release() -> None:
    assert set(TEXTS) == set(Err) - {Err.OK}
    assert (Err.ABRT, Err.RST, Err.CLSD, Err.USE, Err.ISCONN) == (-8, -9, -10, -13, -15)
    assert TEXTS[Err.MEM] == "out of memory"
