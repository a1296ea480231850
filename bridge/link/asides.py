"""Tables and objects that the board has put aside, because it could not encode them yet, and that are fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.errors import BridgeError
from bridge.wire.values import Aside, Value

Values = tuple[Value, ...]


class Asides:
    """Fetches what was put aside.

    Args:
        fetch: gets one, loading the room that encodes it.
        let_go: releases the handles among values that nobody will get.
    """

    def __init__(self, fetch: Callable[[Aside], Awaitable[Value]], let_go: Callable[[Values], None]) -> None:
        self._fetch = fetch
        self._let_go = let_go
        self._dropping: set[asyncio.Task[Values]] = set()

    async def fetched(self, results: Values) -> Values:
        """Results of a call, with what was put aside in its place. Who gives up leaves nothing on the board."""
        if not any(isinstance(value, Aside) for value in results):
            return results
        fetching = asyncio.ensure_future(self._all(results))
        try:
            return await asyncio.shield(fetching)
        except asyncio.CancelledError:
            self._unwanted(fetching)
            raise

    def drop(self, value: Aside) -> None:
        """Nobody wants it: it is fetched and let go, which is how the board forgets it."""
        self._unwanted(asyncio.ensure_future(self._all((value,))))

    async def _all(self, results: Values) -> Values:
        fetched: list[Value] = []
        try:
            for value in results:
                fetched.append(await self._fetch(value) if isinstance(value, Aside) else value)
        except BridgeError:
            self._let_go((*fetched, *results[len(fetched) + 1 :]))
            raise
        return tuple(fetched)

    def _unwanted(self, fetching: asyncio.Task[Values]) -> None:
        self._dropping.add(fetching)
        fetching.add_done_callback(self._came)

    def _came(self, fetching: asyncio.Task[Values]) -> None:
        self._dropping.discard(fetching)
        if not fetching.cancelled() and fetching.exception() is None:
            self._let_go(fetching.result())
