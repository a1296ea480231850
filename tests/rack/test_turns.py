from __future__ import annotations

import os
import select
import time
from pathlib import Path

from bridge.rack.turns import Ticket, arrival, ring, take_ticket, waiting

ABOUT = {"pid": 1, "user": "u", "command": "c", "purpose": "p", "since": 1.0}


def ticket(folder: Path, number: int, *wants: str, ttl: float = 30) -> Ticket:
    return take_ticket(str(folder), arrival(number), wants, 1, ttl, ABOUT)


def test_who_came_first_is_first(tmp_path: Path) -> None:
    first, second = ticket(tmp_path, 1, "a"), ticket(tmp_path, 2, "b", "a")
    found = waiting(str(tmp_path))
    assert [turn.wants for turn in found] == [{"a"}, {"a", "b"}]
    assert found[0].about["purpose"] == "p" and found[0].count == 1
    first.give_back()
    assert [turn.wants for turn in waiting(str(tmp_path))] == [{"a", "b"}]
    second.give_back()
    assert [*tmp_path.iterdir()] == []


def test_a_ticket_that_nobody_touches_counts_no_more(tmp_path: Path) -> None:
    one = ticket(tmp_path, 1, "a", ttl=5)
    path = next(tmp_path.iterdir())
    os.utime(path, (time.time() - 6,) * 2)
    assert waiting(str(tmp_path)) == []
    one.touch()
    assert len(waiting(str(tmp_path))) == 1
    one.give_back()


def test_a_ticket_of_a_process_that_is_gone_is_cleared_away(tmp_path: Path) -> None:
    one = ticket(tmp_path, 1, "a")
    path = next(tmp_path.iterdir())
    os.close(one._descriptor)  # as the system does when a process ends
    assert waiting(str(tmp_path)) == [] and path.exists()  # it might be about to be locked
    os.utime(path, (time.time() - 100,) * 2)
    assert waiting(str(tmp_path)) == [] and not path.exists()
    one.bell.close()


def test_what_is_no_ticket_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x.turn").write_text("{}")
    (tmp_path / "1.2.3.4.turn").write_text("[")
    assert waiting(str(tmp_path)) == []
    assert waiting(str(tmp_path / "nowhere")) == []


def test_those_who_want_a_board_are_rung_for(tmp_path: Path) -> None:
    one, other = ticket(tmp_path, 1, "a"), ticket(tmp_path, 2, "b")
    ring(str(tmp_path), "a")
    assert select.select([one.bell, other.bell], [], [], 5)[0] == [one.bell]
    one.listen()
    assert select.select([one.bell], [], [], 0)[0] == []
    one.give_back()
    other.give_back()
