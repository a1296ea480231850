"""Tests of streams are coroutines that get a `world`; after each of them nothing of it is left."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from tests.streams.worlds import BoardWorld, LoopbackWorld, World

WORLDS: dict[str, type[World]] = {kind.name: kind for kind in (World, BoardWorld, LoopbackWorld)}


class Worlds:
    """Those that exist; a board in which something was left is replaced."""

    def __init__(self) -> None:
        self._made: dict[str, World] = {}

    def get(self, name: str) -> World:
        if name not in self._made:
            self._made[name] = made = WORLDS[name]()
            if isinstance(made, BoardWorld):
                made.runner.run(made.warm_up())
        return self._made[name]

    def drop(self, name: str) -> None:
        self._made.pop(name).close()

    def close(self) -> None:
        for name in tuple(self._made):
            self.drop(name)


@pytest.fixture(scope="session")
def worlds() -> Iterator[Worlds]:
    made = Worlds()
    yield made
    made.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`world` is each of them, unless the test says `pytest.mark.world("board")`."""
    if "world" in metafunc.fixturenames:
        names = [name for mark in metafunc.definition.iter_markers("world") for name in mark.args]
        metafunc.parametrize("world", names or list(WORLDS), indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, worlds: Worlds) -> Iterator[World]:
    made = worlds.get(request.param)
    before = made.count()
    made.complaints.clear()
    yield made
    if request.node.stash.get(FAILED, False):
        worlds.drop(request.param)  # what a failed test leaves is not the next one's
        return
    left = made.leaks(before)
    complaints = [context for context in made.complaints if context not in getattr(made, "expected", [])]
    if left or complaints:
        worlds.drop(request.param)
    assert left == []
    assert complaints == []


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines in their world."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj) or "world" not in pyfuncitem.funcargs:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    try:
        pyfuncitem.funcargs["world"].run(pyfuncitem.obj(**arguments))
    except BaseException:
        pyfuncitem.stash[FAILED] = True
        raise
    return True
