"""bridge/comparison/facts.py: in which facts two boards differ, and the virtual board that is equal."""

from __future__ import annotations

import dataclasses

from bridge.comparison.facts import Fact, Facts, differences

FACTS = Facts("5.1", "float", ("net", "ow", "uart"), True, 115200, "3.0.0.0", "3.0", 4 << 20, 80, 44600)


def test_equal_boards_differ_in_nothing() -> None:
    assert differences(FACTS, FACTS) == []


def test_each_difference_is_a_row() -> None:
    board = dataclasses.replace(FACTS, lua="5.3", modules=("net", "spi", "uart"), echo=False)
    assert differences(board, FACTS) == [
        Fact("Lua version", "5.3", "5.1"),
        Fact("module ow", "absent", "present"),
        Fact("module spi", "present", "absent"),
        Fact("echo at boot", "off", "on"),
    ]


def test_heap_differs_only_beyond_its_tolerance() -> None:
    assert differences(dataclasses.replace(FACTS, heap=41000), FACTS) == []
    [fact] = differences(dataclasses.replace(FACTS, heap=30000), FACTS)
    assert fact == Fact("free heap after boot", "30000 bytes", "44600 bytes")


def test_the_equal_virtual_board_has_the_same_facts_as_options() -> None:
    board = dataclasses.replace(FACTS, lua="5.3", echo=False, flash_size=0)
    assert board.equal_board == "virtual:?lua=5.3&number=float&modules=net,ow,uart&echo=0"
    assert FACTS.equal_board.endswith("&echo=1&flash_size=4194304")
