"""The environment of labgrid, made once, and a laboratory in it.

Where it cannot be made, as without a network, these tests are skipped; under `CI=true` they fail.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.labgrid_place.environment import VARIABLE
from tests.labgrid_place.laboratory import Laboratory, laboratory
from tests.test_layers import ROOT

#: Seconds to make the environment: it fetches what pip has not kept.
MAKING_S = 600
#: For tests that use it, the first of which waits for it.
PATIENCE = pytest.mark.timeout(MAKING_S + 120)


@pytest.fixture(scope="session")
def labgrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment that has labgrid; the one that is named in the environment, or the checkout's."""
    # The workers of one run come here at once.
    with (ROOT / ".venv-labgrid.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(
            [ROOT / "scripts" / "labgrid_environment"], capture_output=True, text=True, timeout=MAKING_S
        )
    if made.returncode:
        message = f"The environment of labgrid cannot be made: {made.stderr}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return Path(made.stdout.strip())


@pytest.fixture(scope="session")
def lab(labgrid: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A laboratory whose places are free; a test gives back what it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(labgrid))
        with laboratory(tmp_path_factory.mktemp("laboratory")) as lab:
            yield lab


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for what nothing tells of."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
