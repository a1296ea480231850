"""A board for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forward.rig import Rig, rig


@pytest.fixture(scope="module")
def board_rig() -> Iterator[Rig]:
    with rig() as made:
        yield made
