"""One board for all tests of the faces without `await`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge import sync


@pytest.fixture(scope="package")
def shared() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0&flash=0") as made:
        yield made
