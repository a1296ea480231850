from __future__ import annotations

import pytest

from bridge.pytest_plugin.ledger import Ledger, is_of_a_test, worker_name

PLACE = ("tests/test_x.py", 3, "test_x")


def test_a_test_has_one_name_for_its_chunks_and_is_found_by_it() -> None:
    ledger = Ledger()
    one, other = ledger.enter("a::one", PLACE), ledger.enter("a::other", PLACE)
    assert ledger.enter("a::one", PLACE) is one
    assert (one.chunk, other.chunk) == ("t1", "t2")
    assert ledger.owner(("blink.lua", "t2", "t1")) is other
    assert ledger.owner(("lua",)) is None and ledger.owner(()) is None


def test_workers_have_names_of_their_own() -> None:
    entry = Ledger("gw3").enter("a::one", PLACE)
    assert entry.chunk == "t1w3" and is_of_a_test(entry.chunk)
    assert Ledger("gw4").owner((entry.chunk,)) is None
    assert not is_of_a_test("table") and not is_of_a_test("t1.lua")


def test_a_file_is_of_the_test_that_named_it_last() -> None:
    ledger = Ledger()
    one, other = ledger.enter("a::one", PLACE), ledger.enter("a::other", PLACE)
    ledger.note_files(one, {"blink.lua", "page.lc"})
    assert ledger.owner(("blink.lua",)) is one and ledger.owner(("page.lc",)) is one
    ledger.note_files(other, {"blink.lua"})
    assert ledger.owner(("blink.lua",)) is other
    assert ledger.owner(("blink.lua", "t1")) is one, "a chunk of a test says more than a file"


def test_the_worker_is_the_one_that_xdist_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw7")
    assert worker_name() == "gw7"
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    assert worker_name() == ""
