"""The fixtures. They import what they need when they are used: this module is loaded in every run of pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bridge import Board


@pytest.fixture
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    """A board that is clean, for this test alone; looked at afterwards."""
    from bridge.pytest_plugin.start import session_of

    session = session_of(request.config)
    leased = session.begin(request.node)
    yield leased[0].board
    session.end(request.node, leased)
