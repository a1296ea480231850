"""bridge/rack/claims.py: in turn, all or none."""

from __future__ import annotations

import fcntl
import os
import selectors
import time
from pathlib import Path

from bridge.rack.claims import Claim, take_port_lock
from bridge.rack.record import write_record

SELECTOR = selectors.DefaultSelector()


def claim(folder: Path, number: int, *boards: str, count: int = 1, seconds: float | None = None) -> Claim:
    return Claim(SELECTOR, {
        "id": number, "count": count, "folder": str(folder), "ttl": 30, "seconds": seconds, "order": None,
        "places": [{"name": f"place-{board}", "board": board, "port_lock": None} for board in boards],
        "about": {"pid": 1, "user": "u", "command": "c", "purpose": f"claim {number}"},
    })  # fmt: skip


def attempt(claim: Claim) -> list[str] | None:
    taken = claim.attempt(time.monotonic())
    if taken is None:
        return None
    boards = [place["board"] for place, _ in taken]
    HELD.update({place["board"]: locks for place, locks in taken})
    return boards


HELD: dict[str, list] = {}  # type: ignore[type-arg]


def give_back(board: str) -> None:
    for lock in HELD.pop(board):
        lock.release()


def test_in_turn_and_who_came_later_takes_what_is_left(tmp_path: Path) -> None:
    assert attempt(claim(tmp_path, 1, "a", "b")) == ["a"]
    assert attempt(claim(tmp_path, 2, "a", "b")) == ["b"]
    third, fourth, fifth = (claim(tmp_path, number, "a", "b") for number in (3, 4, 5))
    assert attempt(third) is None and attempt(fourth) is None
    give_back("a")
    assert attempt(fifth) is None and attempt(fourth) is None, "the third came before"
    give_back("b")
    assert attempt(fourth) in (["a"], ["b"]), "there is one for each of the two who came before the fifth"
    assert attempt(fifth) is None
    assert attempt(third) in (["a"], ["b"])
    give_back("a")
    give_back("b")
    assert attempt(fifth) is not None
    for board in [*HELD]:
        give_back(board)
    assert [*tmp_path.glob("*.turn")] == []


def test_several_are_taken_all_or_none_and_who_wants_several_is_not_passed_by(tmp_path: Path) -> None:
    assert attempt(claim(tmp_path, 1, "a")) == ["a"]
    both = claim(tmp_path, 2, "b", "a", count=2)
    assert attempt(both) is None
    one = claim(tmp_path, 3, "b")
    assert attempt(one) is None, "b is free, and waited for by who wants both"
    give_back("a")
    assert attempt(both) == ["a", "b"]
    give_back("a")
    give_back("b")
    assert attempt(one) == ["b"]
    give_back("b")


def test_what_nobody_before_wants_comes_first(tmp_path: Path) -> None:
    assert attempt(claim(tmp_path, 1, "a")) == ["a"]
    first = claim(tmp_path, 2, "a")
    assert attempt(first) is None
    assert attempt(claim(tmp_path, 3, "a", "b")) == ["b"]
    give_back("a")
    assert attempt(first) == ["a"]
    give_back("a")
    give_back("b")


def test_the_time_is_over(tmp_path: Path) -> None:
    assert attempt(claim(tmp_path, 1, "a")) == ["a"]
    late = claim(tmp_path, 2, "a", seconds=0.0)
    assert attempt(late) is None
    assert late.answer is not None and late.answer["busy"][0]["held"] is True
    give_back("a")


def test_a_port_that_a_program_without_a_lease_has_is_not_free(tmp_path: Path) -> None:
    lock = take_port_lock((str(tmp_path / "ports"), "port"))
    assert lock is not None
    mine = claim(tmp_path, 1, "a")
    mine._places = [{**mine._places[0], "port_lock": (str(tmp_path / "ports"), "port")}]
    assert attempt(mine) is None
    lock.release()
    assert attempt(mine) == ["a"]
    give_back("a")


def test_a_look_at_a_lock_makes_nobody_busy(tmp_path: Path) -> None:
    """As `rack status` and `rack watch` do, and those who wait."""
    assert attempt(claim(tmp_path, 1, "a")) == ["a"]
    give_back("a")
    [lock] = tmp_path.glob("a.*.lock")
    with lock.open() as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        mine = claim(tmp_path, 2, "a", seconds=0.0)
        assert attempt(mine) is None and mine.answer is None, "nobody holds it"
    assert attempt(mine) == ["a"]
    give_back("a")


def test_a_program_without_a_lease_is_named(tmp_path: Path) -> None:
    ports = str(tmp_path / "ports")
    lock = take_port_lock((ports, "port"))
    assert lock is not None
    write_record(lock.base, {"pid": os.getpid(), "command": "nodemcu-bridge repl", "since": time.time()}, ".holder")
    late = claim(tmp_path, 1, "a", seconds=0.0)
    late._places = [{**late._places[0], "port_lock": (ports, "port")}]
    assert attempt(late) is None and late.answer is not None
    [found] = late.answer["busy"]
    assert found["held"] and found["by"]["command"] == "nodemcu-bridge repl"
    lock.release()
