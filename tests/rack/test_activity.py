from __future__ import annotations

import os
import time
from pathlib import Path

from bridge.rack.activity import activity_of, tell_activity
from bridge.rack.model import Place
from bridge.rack.state import board_key

PLACE = Place(name="a", port="rfc2217://127.0.0.1:1", mac="5c:cf:7f:00:00:01")


def lock_file(folder: Path) -> Path:
    """The file by which the board of the place was locked once."""
    path = folder / f"{board_key(PLACE)}.{os.getuid()}.lock"
    path.touch()
    return path


def test_what_is_told_is_read_and_the_newest_counts(tmp_path: Path) -> None:
    lock_file(tmp_path)
    tell_activity(tmp_path, PLACE, "tests/a.py::test_b", 40_000)
    tell_activity(tmp_path, PLACE, "tests/a.py::test_c", 39_000)
    found = activity_of(tmp_path, PLACE, os.getpid())
    assert found is not None and (found.doing, found.heap) == ("tests/a.py::test_c", 39_000)
    assert abs(found.since - time.time()) < 60
    tell_activity(tmp_path, PLACE, None, 38_000)
    found = activity_of(tmp_path, PLACE, os.getpid())
    assert found is not None and (found.doing, found.heap) == (None, 38_000)


def test_what_another_process_said_counts_for_nothing(tmp_path: Path) -> None:
    lock_file(tmp_path)
    tell_activity(tmp_path, PLACE, "tests/a.py::test_b")
    assert activity_of(tmp_path, PLACE, os.getpid() + 1) is None


def test_what_cannot_be_written_or_read_is_not_told(tmp_path: Path) -> None:
    path = lock_file(tmp_path)
    tell_activity(tmp_path / "absent", PLACE, "x")
    assert activity_of(tmp_path, PLACE, os.getpid()) is None
    for text in ("", "[]", "{}", '{"pid": "x", "doing": 1, "since": 2, "heap": 3}', "[" * 100_000):
        path.with_suffix(".doing").write_text(text)
        assert activity_of(tmp_path, PLACE, os.getpid()) is None


def test_a_pipe_in_its_place_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(lock_file(tmp_path).with_suffix(".doing"))
    assert activity_of(tmp_path, PLACE, os.getpid()) is None


def test_boards_within_a_process_are_nobody_elses_business(tmp_path: Path) -> None:
    tell_activity(tmp_path, Place(name="v", port="virtual:"), "x")
    assert not [*tmp_path.iterdir()]
