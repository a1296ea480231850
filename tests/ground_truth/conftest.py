"""The player of the recordings: it begins with the first test here, and the others run beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ground_truth.mishap import known_differences
from tests.ground_truth.player import Player, Recording, Verdict, play, playable


@pytest.fixture(scope="session", autouse=True)
def verdict_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Recording], Verdict]]:
    """Answers what came of a recording; all that this run asked for are played beside each other."""
    out: Path = tmp_path_factory.mktemp("ground_truth")
    if "PYTEST_XDIST_WORKER" in os.environ:
        # A worker does not know which tests it will be given, so it plays each when it is asked for.
        places = playable()
        yield lambda recording: play(recording, places.index(recording), out / str(recording))
        return
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    player = Player([each.params["recording"] for each in parameters if each and "recording" in each.params], out)

    def verdict(recording: Recording) -> Verdict:
        first = player.verdict(recording)
        if first.same or not first.late or recording.name in known_differences()[recording.folder]:
            return first
        print(f"played once more, alone, because its answer came late and differed:\n{first.text}")
        return player.alone(recording)

    yield verdict
    player.close()
