"""Virtual boards on the virtual clock, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from bridge.comparison.console import Console
from bridge.virtual import clock
from bridge.virtual.port import open_virtual

T = TypeVar("T")


@asynccontextmanager
async def console(options: str = "") -> AsyncIterator[Console]:
    """The console of a fresh board at its prompt."""
    port = await open_virtual(f"virtual:?clock=virtual{options}")
    try:
        yield Console(port)
    finally:
        await port.close()


def on_console(use: Callable[[Console], Awaitable[T]], options: str = "") -> T:
    """Run a coroutine function on the console of a fresh board."""

    async def main() -> T:
        async with console(options) as found:
            return await use(found)

    return clock.run(main())
