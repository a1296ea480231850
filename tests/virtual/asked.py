"""Asks a firmware on the bench."""

from __future__ import annotations

from typing import Any

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def answers(*lines: str, lua: str = "5.1", **options: Any) -> list[str]:
    """What the console of a fresh board answers to each line (computing is free unless `cpu` is given)."""

    async def ask() -> list[str]:
        bench = await Bench.boot(lua=lua, **{"cpu": 0.0, **options})
        said = [await bench.answer(line) for line in lines]
        bench.close()
        return said

    return run(ask())


def typed(*lines: str, lua: str = "5.1", **options: Any) -> list[str]:
    """As `answers`, with echo and prompts."""

    async def ask() -> list[str]:
        bench = await Bench.boot(lua=lua, **{"cpu": 0.0, **options})
        said = [await bench.type(line) for line in lines]
        bench.close()
        return said

    return run(ask())


def answer(line: str, lua: str = "5.1", **options: Any) -> str:
    """What the console of a fresh board answers to a line."""
    return answers(line, lua=lua, **options)[0]


def error(line: str, lua: str = "5.1", **options: Any) -> str:
    """The message that a line raises, without traceback."""
    first = answer(line, lua=lua, **options).split("\r\n")[0]
    assert first.startswith("Lua error: \tstdin:1: "), first
    return first.removeprefix("Lua error: \tstdin:1: ")
