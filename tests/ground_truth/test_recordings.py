"""Every playable recording of stock firmware, played on a virtual board on a pseudo-terminal, is answered the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ground_truth.mishap import known_differences, mishaps
from tests.ground_truth.player import Recording, Verdict, playable

RECORDINGS = playable()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
def test_answers_as_recorded(recording: Recording, verdict_of: Callable[[Recording], Verdict]) -> None:
    reason = known_differences()[recording.folder].get(recording.name)
    verdict = verdict_of(recording)
    if reason is None:
        assert verdict.same, verdict.text
    else:
        assert not verdict.same, f"{recording} is the same now: take it off known_differences.yaml"


def test_no_more_differences_are_listed_than_there_may_be() -> None:
    lists = known_differences()
    assert len(lists["recordings"]) <= 5
    assert len(lists["recordings-lua53"]) <= 5
    names = {str(recording) for recording in RECORDINGS}
    for title, entries in lists.items():
        for name, reason in entries.items():
            assert f"{title}/{name}" in names, f"{name} is no playable recording"
            assert len(reason.split()) > 5, f"{name}: say why it differs"


@pytest.mark.parametrize("name", mishaps())
def test_a_mishap_is_one_that_the_recording_shows(name: str) -> None:
    """A stall that the recording does not show would excuse a board that differs."""
    recordings = {str(recording): recording for recording in RECORDINGS}
    assert name in recordings, "it is no playable recording"
    mishap, steps = mishaps()[name], recordings[name].steps()
    assert len(mishap.why.split()) > 5, "say how the recording shows it"
    assert mishap.stalls or mishap.flushed
    for stall in mishap.stalls:
        assert "send" in steps[stall.start]
        last = len(steps) if stall.end is None else stall.end
        assert not any(step.get("recv") for step in steps[stall.start : last]), "something was heard meanwhile"


def test_all_that_can_be_played_is_played() -> None:
    """The folders hold what they held when they were copied; a scenario that is lost would pass unseen."""
    played = [recording.folder for recording in RECORDINGS]
    assert (played.count("recordings"), played.count("recordings-lua53")) == (63, 40)
