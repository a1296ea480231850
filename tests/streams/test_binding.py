from __future__ import annotations

import errno
from typing import Any

import pytest

from bridge.errors import ArgumentRefused, BoardReset, ListenRefused, LuaError, PortLost
from bridge.streams.binding import not_bound, where_to_bind


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ((None, None), (None, 0)),
        ((80, None), (None, 80)),
        ((80, "10.0.0.1"), ("10.0.0.1", 80)),
        (("10.0.0.1", 80), ("10.0.0.1", 80)),
        (("10.0.0.1", None), ("10.0.0.1", 0)),
        ((None, 80), (None, 80)),
        (("", 80), (None, 80)),
    ],
)
def test_where(given: tuple[Any, Any], where: tuple[str | None, int]) -> None:
    assert where_to_bind(*given) == where


@pytest.mark.parametrize("given", [(80, 80), ("a", "b"), (True, None), (1.5, None), (70_000, None), (-1, None)])
def test_what_is_none(given: tuple[Any, Any]) -> None:
    with pytest.raises(ArgumentRefused):
        where_to_bind(*given)


def test_why_not() -> None:
    taken = not_bound(LuaError("address in use"), None, 80, "COM5")
    assert isinstance(taken, ListenRefused) and taken.errno == errno.EADDRINUSE and "0.0.0.0:80" in str(taken)
    other = not_bound(LuaError("invalid IP address"), "x", 80, "COM5")
    assert isinstance(other, ListenRefused) and other.errno == errno.EADDRNOTAVAIL
    gone = PortLost("gone")
    assert not_bound(gone, None, 80, "COM5") is gone
    assert isinstance(not_bound(BoardReset(), None, 80, "COM5"), ConnectionResetError)
