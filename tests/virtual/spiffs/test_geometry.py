"""Sizes as SPIFFS has them."""

from __future__ import annotations

import pytest

from bridge.virtual.spiffs.geometry import DATA, geometry, pages_of


def test_a_stock_partition() -> None:
    found = geometry(0x90000, 0x36D000)
    assert found is not None
    assert (found.address, found.block_size) == (0x90000, 8192)
    assert found.size % 8192 == 0 and found.address + found.size <= 0x90000 + 0x36D000
    assert found.total == ((found.blocks - 2) * 31 + 1) * 251


def test_addresses_are_aligned() -> None:
    found = geometry(0x91000, 0x20000)
    assert found is not None and found.address == 0x92000 and found.address + found.size == 0xB0000


def test_small_partitions_have_small_blocks() -> None:
    found = geometry(0, 0x6000)
    assert found is not None and found.block_size == 4096 and found.pages_per_block == 15
    assert geometry(0, 0x3000) is None
    assert geometry(0, 0) is None


@pytest.mark.parametrize(
    ("size", "pages"), [(0, 1), (1, 2), (DATA, 2), (DATA + 1, 3), (105 * DATA, 106), (105 * DATA + 1, 108)]
)
def test_pages_of_a_file(size: int, pages: int) -> None:
    assert pages_of(size) == pages
