"""Places whose boards live in this process (`virtual:`): nobody else wants them, so there is no lock and no keeper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bridge.errors import PlaceBusy
from bridge.rack.lease import Lease
from bridge.rack.model import Place


class OwnPlaces:
    """The `virtual:` places of a rack. Leases of them may pass from one event loop to the next."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._waiting: list[Callable[[], None]] = []
        self._generations: dict[str, int] = {}

    def free(self, places: Sequence[Place]) -> int:
        """How many of these nobody holds."""
        return sum(place.name not in self._held for place in places)

    async def claim(self, count: int, places: Sequence[Place], timeout: float | None) -> list[Lease]:
        """Get some of these; waits in turn.

        Raises:
            PlaceBusy: others of this process hold them for `timeout` seconds.
        """
        if self._waiting or self.free(places) < count:
            try:
                async with asyncio.timeout(timeout):
                    await self._wait(count, places)
            except TimeoutError:
                held = ", ".join(place.name for place in places if place.name in self._held)
                raise PlaceBusy(
                    f"No board became free within {timeout:g} s: this process holds {held}",
                    remedy="Give one back first.",
                ) from None
        chosen = [place for place in places if place.name not in self._held][:count]
        return [self._lease(place) for place in chosen]

    async def _wait(self, count: int, places: Sequence[Place]) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        self._waiting.append(wake)
        try:
            while self._waiting[0] is not wake or self.free(places) < count:
                await changed.wait()
                changed.clear()
        finally:
            self._waiting.remove(wake)
            self._rouse()

    def _rouse(self) -> None:
        for wake in self._waiting:
            wake()

    def _lease(self, place: Place) -> Lease:
        self._held.add(place.name)
        self._generations[place.name] = generation = self._generations.get(place.name, 0) + 1

        def given_back() -> None:
            self._held.discard(place.name)
            self._rouse()

        assert place.port is not None
        return Lease(place, place.port, generation, given_back, wanted=lambda: bool(self._waiting))
