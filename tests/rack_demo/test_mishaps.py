from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from bridge.rack_demo.mishaps import VARIABLE, Mishap, Mishaps, environment


@pytest.fixture
def told() -> list[int]:
    """Signals that this process has got."""
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: got.append(number))
    yield got  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, before)


def test_it_happens_once_and_after_as_many_tests(tmp_path: Path, told: list[int]) -> None:
    mishap = Mishap("rfc2217://a:1", os.getpid(), "SIGUSR1", 2, [], str(tmp_path / "mark"))
    one, other = Mishaps([mishap]), Mishaps([mishap])
    for _ in range(2):
        one.begin("rfc2217://a:1", "test_x")
        one.begin("rfc2217://b:1", "test_x")
    assert told == []
    one.begin("rfc2217://a:1", "test_x")
    assert told == [signal.SIGUSR1]
    for _ in range(5):
        one.begin("rfc2217://a:1", "test_x")
        other.begin("rfc2217://a:1", "test_x")  # another process that has the board now
    assert told == [signal.SIGUSR1]


def test_it_does_not_hit_a_test_that_would_fail_anyway(tmp_path: Path, told: list[int]) -> None:
    mishaps = Mishaps([Mishap("rfc2217://a:1", os.getpid(), "SIGUSR1", 0, ["wrong"], str(tmp_path / "mark"))])
    mishaps.begin("rfc2217://a:1", "wrong")
    assert told == []
    mishaps.begin("rfc2217://a:1", "right")
    assert told == [signal.SIGUSR1]


def test_what_shall_happen_travels_in_the_environment() -> None:
    mishap = Mishap("rfc2217://a:1", 7, "SIGSTOP", 2, ["x"], "mark")
    [found] = json.loads(environment([mishap])[VARIABLE])
    assert Mishap(**found) == mishap
