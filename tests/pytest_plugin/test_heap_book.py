from __future__ import annotations

from bridge.pytest_plugin.heap_book import DOUBLINGS, SHAPE, HeapBook, Look, lost

NONE, NET = frozenset[str](), frozenset({"objects", "net"})
ALL = NET | {"values"}


def test_what_a_test_has_taken_shows_with_the_same_rooms_alone() -> None:
    assert lost(Look(30_000, NONE, 2), Look(29_700, NONE, 2)) == 300
    assert lost(Look(30_000, NONE, 2), Look(29_700, NONE, 4)) == 300 - 2 * SHAPE
    assert lost(Look(30_000, NONE, 4), Look(29_900, NONE, 0)) == 100, "functions that were let go are no loss"
    assert lost(Look(30_000, NONE, 2), Look(20_000, NET, 2)) is None


def test_the_heap_with_rooms_is_known_once_it_was_seen_clean() -> None:
    book = HeapBook(Look(36_000, NONE, 0))
    assert book.missing(Look(25_000, NET, 0)) is None
    book.learn(Look(26_000, NET, 0))
    assert book.missing(Look(25_000, NET, 0)) == 1_000
    book.learn(Look(25_500, NET, 0))
    assert book.missing(Look(25_000, NET, 0)) == 1_000, "the best that was seen counts"


def test_rooms_that_were_never_seen_are_judged_by_their_size() -> None:
    book = HeapBook(Look(36_000, NONE, 0), {"objects": 1_000, "net": 1_000})
    assert book.surely_missing(Look(28_500, NET, 0)) < 0
    assert book.surely_missing(Look(20_000, NET, 0)) > 7_000


def test_what_several_tests_have_left_is_carried_from_one_set_of_rooms_to_another() -> None:
    book = HeapBook(Look(36_000, NONE, 0))
    book.learn(Look(26_000, NET, 0))
    book.follow(Look(26_000, NET, 0))
    book.follow(Look(25_800, NET, 0))
    book.follow(Look(25_600, NET, 0))
    book.learn(Look(22_000, ALL, 0))  # seen first when 400 bytes are missing
    assert book.carried == 400
    book.follow(Look(21_900, ALL, 0))
    assert book.carried == 500 == book.missing(Look(21_900, ALL, 0))
    assert book.measure(Look(25_500, NET, 0)) == 500, "none of it is new"
    book.follow(Look(25_600, NET, 0))
    assert book.carried == 400, "some has come back"


def test_functions_that_were_compiled_take_at_most_what_they_may() -> None:
    book = HeapBook(Look(36_000, NONE, 0))
    book.follow(Look(36_000 - 2 * SHAPE + 10, NONE, 2))
    assert book.carried == 0
    book.follow(Look(36_000 - 3 * SHAPE - 100, NONE, 3))
    assert book.carried == 110
    book.follow(Look(36_000 - 3 * SHAPE - 100, NONE, 5))
    assert book.carried == 110, "they have taken nothing, and given nothing back"


def test_the_table_of_strings_doubles_once_to_each_size() -> None:
    book = HeapBook(Look(36_000, NONE, 0))
    small, large = DOUBLINGS
    assert not book.strings_doubled(small - SHAPE - 1, 256) and not book.strings_doubled(small + 257, 256)
    assert book.strings_doubled(small + 200, 256) and not book.strings_doubled(small, 256)
    assert book.strings_doubled(large, 256) and not book.strings_doubled(large, 256)
