"""A plugin of pytest that lets boards fail in the middle of a run: one hangs, one is reset.

Loaded in the demo's run alone. It acts from outside the tests, on the processes of virtual boards, as a cable or a
power supply would.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

#: The environment variable that says what shall happen.
VARIABLE = "NODEMCU_BRIDGE_DEMO_MISHAPS"


@dataclass(frozen=True)
class Mishap:
    """What happens to a board.

    Attributes:
        url: of its port.
        pid: of its process.
        signal: by name: SIGSTOP, SIGUSR1.
        after: how many tests of one process it has run before.
        spared: names of tests that it does not hit: they would fail anyway, and say nothing of the board.
        mark: file that says that it has happened: it does so once, whichever process has the board then.
    """

    url: str
    pid: int
    signal: str
    after: int
    spared: list[str]
    mark: str


def environment(mishaps: list[Mishap]) -> dict[str, str]:
    """What to add to the environment of the run."""
    return {VARIABLE: json.dumps([asdict(mishap) for mishap in mishaps])}


class Mishaps:
    """Lets happen what is to happen, at the beginning of a test.

    Args:
        mishaps: what.
    """

    def __init__(self, mishaps: list[Mishap]) -> None:
        self._mishaps = {mishap.url: mishap for mishap in mishaps}
        self._tests: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """The test has its board and begins."""
        url = getattr(getattr(item, "funcargs", {}).get("board"), "url", None)
        if url is not None:
            self.begin(url, item.name)
        yield

    def begin(self, url: str, name: str) -> None:
        """A test begins on the board of a port."""
        self._tests[url] += 1
        mishap = self._mishaps.get(url)
        if mishap is None or self._tests[url] <= mishap.after or name in mishap.spared:
            return
        try:
            Path(mishap.mark).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(mishap.pid, signal.Signals[mishap.signal])


def pytest_configure(config: pytest.Config) -> None:
    """Be ready, where something is to happen."""
    mishaps = [Mishap(**each) for each in json.loads(os.environ.get(VARIABLE, "[]"))]
    config.pluginmanager.register(Mishaps(mishaps), "nodemcu_mishaps")
