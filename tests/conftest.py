"""Options of the whole test suite."""

from __future__ import annotations

import gc
import signal
from importlib.metadata import entry_points

import hypothesis
import pytest

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("bridge", deadline=None)
hypothesis.settings.load_profile("bridge")


#: In an environment in which this project was installed before it had a plugin, that is loaded from here.
INSTALLED = any(point.value == "bridge.pytest_plugin" for point in entry_points(group="pytest11"))
pytest_plugins = ["pytester"] if INSTALLED else ["pytester", "bridge.pytest_plugin"]


def pytest_configure(config: pytest.Config) -> None:
    if not (config.option.board or config.option.rack or config.option.labgrid):
        config.option.board = ["virtual:"]  # for tests/hil
    # Who runs tests in the background (`nohup`, a shell's `&`) may have signals ignored, and the programs that tests
    # end by them would inherit that.
    for number, default in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)


#: Tests that take a minute or more, most of it waiting.
_LONG = ("test_hil_matrix", "test_two_hundred_requests", "test_ab_with_fifty_clients")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What takes minutes begins first: at the end the other workers would have nothing left to do beside it.
    items.sort(key=lambda item: not any(name in item.nodeid for name in _LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    # Hundreds of tests collect garbage to see what is left behind, and so does Python: neither need go through what
    # ten thousand tests are made of, which stays to the end.
    gc.collect()
    gc.freeze()
