from __future__ import annotations

import pytest

from bridge.pytest_plugin.ledger import Ledger, is_of_a_test, run_mark, worker_name

PLACE = ("tests/test_x.py", 3, "test_x")


def test_a_test_has_one_name_for_its_chunks_and_is_found_by_it() -> None:
    ledger = Ledger("", "0a1b")
    one, other = ledger.enter("a::one", PLACE), ledger.enter("a::other", PLACE)
    assert ledger.enter("a::one", PLACE) is one
    assert (one.chunk, other.chunk) == ("t1r0a1b", "t2r0a1b")
    assert ledger.owner(("blink.lua", "t2r0a1b", "t1r0a1b")) is other
    assert ledger.owner(("lua",)) is None and ledger.owner(()) is None


def test_workers_have_names_of_their_own() -> None:
    entry = Ledger("gw3", "0a1b").enter("a::one", PLACE)
    assert entry.chunk == "t1r0a1bw3" and is_of_a_test(entry.chunk)
    assert Ledger("gw4", "0a1b").owner((entry.chunk,)) is None
    assert not is_of_a_test("table") and not is_of_a_test("t1.lua")


def test_a_file_is_of_the_test_that_named_it_last() -> None:
    ledger = Ledger("", "0a1b")
    one, other = ledger.enter("a::one", PLACE), ledger.enter("a::other", PLACE)
    ledger.note_files(one, {"blink.lua", "page.lc"})
    assert ledger.owner(("blink.lua",)) is one and ledger.owner(("page.lc",)) is one
    ledger.note_files(other, {"blink.lua"})
    assert ledger.owner(("blink.lua",)) is other
    assert ledger.owner(("blink.lua", "t1r0a1b")) is one, "a chunk of a test says more than a file"


def test_the_worker_is_the_one_that_xdist_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw7")
    assert worker_name() == "gw7"
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    assert worker_name() == ""


def test_a_test_of_another_run_is_known_as_one_and_as_none_of_this(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of one that was killed: what it has left on the board goes on."""
    monkeypatch.delenv("PYTEST_XDIST_TESTRUNUID", raising=False)
    before, now = (Ledger("", run_mark()) for _ in range(2))
    old = before.enter("a::one", PLACE)
    assert now.enter("a::other", PLACE).chunk != old.chunk
    assert is_of_a_test(old.chunk) and now.owner((old.chunk,)) is None
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", "of all workers")
    assert run_mark() == run_mark()
