from __future__ import annotations

from bridge.pytest_plugin.heap_book import SHAPE, HeapBook, Look, lost

NONE, NET = frozenset[str](), frozenset({"objects", "net"})


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
