from __future__ import annotations

import struct

import pytest

from bridge.image.extent import TableError, referenced_extent, table_extent
from bridge.virtual.chip.make_image import Recipe, make
from tests.image import stock_shape


def test_a_build_that_never_ran_says_its_end_to_the_byte() -> None:
    assert table_extent(stock_shape.table(0x54321).ljust(4096, b"\xff")).end == 0x54321


def test_one_that_was_set_up_says_it_in_steps() -> None:
    assert table_extent(stock_shape.table(None, 0x48000)).end == 0x10000 + 0x46001


def test_a_table_behind_another_record_is_found() -> None:
    other = struct.pack("<BBHI", 1, 2, 0, 99)
    assert table_extent(other + stock_shape.table(0x20000)).end == 0x20000


@pytest.mark.parametrize("fresh", [True, False])
def test_of_stand_ins(fresh: bool) -> None:
    data = make(Recipe(("net",), fresh=fresh))
    end = table_extent(data[0x10000:]).end
    assert end == len(data) if fresh else len(data) - 0x2000 < end <= len(data)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"", "is missing"),
        (b"\xff" * 4096, "is missing"),
        (stock_shape.table(0x20000)[:50], "is damaged"),
        (struct.pack("<BBH", 0, 1, 0), "is damaged"),
        (struct.pack("<BBH8x", 2, 1, 0), "is damaged"),
        (stock_shape.table(0x10000), "says that the code ends at address 0x40210000"),
        (stock_shape.table(0x200000), "says that the code ends at address 0x40400000"),
        (stock_shape.table(None, 0), "has no place for the code"),
        (struct.pack("<BBH", 0, 0, 0) * 4000, "is missing"),
    ],
)
def test_what_is_no_table(code: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        table_extent(code)


def test_addresses_in_the_boot_part_say_how_far_the_code_goes() -> None:
    words = [0x40210000 + 4 * n for n in range(100)] + [0x3FFE8000, 0x402FFFFC]
    loaded = [struct.pack("<102I", *words), b"odd"]
    assert referenced_extent(loaded, 0x10190) is None
    cut = referenced_extent(loaded, 0x10100)
    assert cut is not None and cut.end == 0x1018C
    # Two numbers that look like addresses are no proof.
    assert referenced_extent([struct.pack("<2I", 0x402A0000, 0x402B0000)], 0x20000) is None
