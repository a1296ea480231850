"""Bytes that come between acceptance and the host's handler, 500 ms later: none is lost."""

from __future__ import annotations

import pytest

from tests.campaigns.early_bytes import tries
from tests.campaigns.stage import BUILDS


@pytest.mark.parametrize("build", BUILDS)
def test_none_is_lost(build: str) -> None:
    assert tries(60, build) > 60 * 6


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("build", BUILDS)
def test_none_is_lost_in_500_tries(build: str) -> None:
    print(build, tries(500, build), "bytes")
