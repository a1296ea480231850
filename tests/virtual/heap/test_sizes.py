"""Sizes of objects on the chip, against tests/ground_truth (host.sizes() and mem_costs of the recordings)."""

from __future__ import annotations

import pytest

from bridge.virtual.heap.sizes import FLOAT_51, FLOAT_53, INTEGER_51, Sizes, block, packed_lines, sizes_of


def test_the_allocator_adds_a_header_and_rounds() -> None:
    assert [block(n) for n in (0, 1, 8, 9, 32)] == [0, 16, 16, 24, 40]


@pytest.mark.parametrize(
    ("sizes", "empty", "two", "five_keys", "closure", "ten_bytes", "coroutine"),
    [
        (FLOAT_51, 40, 72, 304, 32, 40, 872),
        (INTEGER_51, 40, 64, 208, 32, 40, 680),
        (FLOAT_53, 40, 64, 208, 24, 40, 0),
    ],
)
def test_objects(
    sizes: Sizes, empty: int, two: int, five_keys: int, closure: int, ten_bytes: int, coroutine: int
) -> None:
    assert sizes.table(0, 0) == empty
    assert sizes.table(2, 0) == two
    assert sizes.table(0, 8) == five_keys
    assert sizes.lua_closure(0) == closure
    assert sizes.string(10) == ten_bytes
    assert sizes.c_closure(0) == 0
    if coroutine:
        assert sizes.coroutine(45, 8) == coroutine


def test_a_prototype_is_the_sum_of_its_parts() -> None:
    parts = {"code": 10, "constants": 3, "protos": 1, "upvalues": 0, "local_names": 2, "lines": 4}
    total = FLOAT_51.prototype(**parts)
    assert total == block(72) + 16 + block(40) + block(36) + block(4) + block(24) + block(4)
    assert FLOAT_51.prototype(**{**parts, "lines": 0}) == total - block(4)


def test_builds() -> None:
    assert sizes_of("5.1", "float") is FLOAT_51
    assert sizes_of("5.1", "integer") is INTEGER_51
    assert sizes_of("5.3", "float") is FLOAT_53


def test_packed_lines() -> None:
    assert packed_lines([1] * 10, 0) == 2
    assert packed_lines([1] * 130, 0) == 4  # at most 127 instructions in a byte, then a step back and a byte
    assert packed_lines([1, 2, 3], 0) == 4
    assert packed_lines([1, 5], 0) == 4  # a byte for the jump
    assert packed_lines([1, 200], 0) == 5
    assert packed_lines([5, 1], 4) == 4
