"""Two real users on one rack: who is kept out, who is named, and what one of them may leave in the folder of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rack.claimants import claimant
from tests.rack.users import ONE, TWO, needs_root, shared_folder
from tests.rack.witness import witness

pytestmark = needs_root


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("first, second", [(ONE, TWO), (None, ONE), (ONE, None)])
def test_one_has_it_and_the_other_is_told_who(shared: Path, first: int | None, second: int | None, umask: int) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with (
            claimant("a", shared, 5, url, user=first, umask=umask) as a,
            claimant("b", shared, 5, url, user=second, umask=umask) as b,
        ):
            assert a.ask("claim")[0] == "leased"
            said = b.ask("claim", 0.2)
            assert said[:2] == ["error", "PlaceBusy"]
            assert f"PID {a.process.pid}" in " ".join(said), "its record can be read"
            a.ask("write", 1)
            assert a.ask("release") == ["released"]
            assert b.ask("claim", 20)[:3] == ["leased", "board-1", "2"]
            b.ask("write", 1)
            seen.wait_for("b", 1)
            assert seen.names() == ["a", "b"]
