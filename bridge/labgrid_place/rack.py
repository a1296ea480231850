"""The places of a coordinator of labgrid as a rack: what `bridge.rack` is for the boards of one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import NoPlace, PlaceFailed
from bridge.labgrid_place.lease import LabgridLease
from bridge.labgrid_place.place import LabgridPlace, Needs
from bridge.labgrid_place.talk import Talk

#: Seconds that a holder may be silent.
TTL = 30.0
#: Seconds for a coordinator to say what it has.
_LIST_S = 30.0


@dataclass(frozen=True)
class Anything:
    """Needs that every place fits."""

    modules: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    flash: int = 0
    place: str | None = None
    lua: str | None = None


ANYTHING = Anything()


class LabgridRack:
    """The places that an environment file names, or all of a coordinator.

    Args:
        env: an environment file of labgrid, or host:port of a coordinator.
        ttl: seconds after which a holder that is silent loses its place.
        told: called with who holds what, by place, while a claim waits.
    """

    def __init__(
        self, env: str, *, ttl: float = TTL, told: Callable[[Mapping[str, str]], None] | None = None
    ) -> None:
        self.env, self.ttl, self._told = env, ttl, told

    async def places(self) -> tuple[LabgridPlace, ...]:
        """What is there, and who has it, as the coordinator knows it now.

        Raises:
            UsageError: the environment file is none, or there is no labgrid.
            RackError: nobody answers at the coordinator, or it does not know a place.
        """
        talk = Talk({"do": "list", "env": self.env}, _LIST_S)
        try:
            said = await talk.hear()
        finally:
            await asyncio.to_thread(talk.end)
        return tuple(map(LabgridPlace.read, said["places"]))

    async def claim(
        self, needs: Needs = ANYTHING, *, purpose: str = "", timeout: float | None = None
    ) -> LabgridLease:
        """Take a place, when one that fits is free.

        Args:
            needs: what it must be.
            purpose: what for; labgrid has no place for it, so it is known here alone.
            timeout: seconds to wait, or None for ever.

        Raises:
            NoPlace: none can ever be that; says what each lacks.
            PlaceBusy: others had them, to the end; says who, since when.
            PlaceFailed: it fits, and no exporter offers it, or its strategy cannot make it ready.
            UsageError, RackError: as `places`.
        """
        return await self._claim(fitting(await self.places(), needs), timeout)

    async def claim_many(
        self, count: int, needs: Needs = ANYTHING, *, purpose: str = "", timeout: float | None = None
    ) -> list[LabgridLease]:
        """Take several places, or none. Those who claim several wait for them in one order, so none blocks another.

        Args:
            count: how many.
            needs, purpose, timeout: as for `claim`; what each of them must be, and for all of them together.

        Raises:
            As `claim`.
        """
        places = fitting(await self.places(), needs)
        if len(places) < count:
            raise NoPlace(f"{count} places are asked for, and {len(places)} of {self.env} fit")
        chosen = sorted(places[:count], key=lambda place: place.name)
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        leases: list[LabgridLease] = []
        try:
            for place in chosen:
                left = None if deadline is None else max(deadline - loop.time(), 0.0)
                leases.append(await self._claim([place], left))
        except BaseException:
            for lease in leases:
                await lease.release()
            raise
        return leases

    async def _claim(self, places: list[LabgridPlace], timeout: float | None) -> LabgridLease:
        request = {"do": "claim", "env": self.env, "names": [place.name for place in places], "timeout": timeout}
        talk = Talk(request, self.ttl)
        try:
            while "lease" not in (said := await talk.hear()):
                if "waiting" in said and self._told is not None:
                    self._told(said["waiting"])
            return LabgridLease(talk, said["lease"])
        except BaseException:
            await asyncio.shield(asyncio.to_thread(talk.end))
            raise


def fitting(places: tuple[LabgridPlace, ...], needs: Needs) -> list[LabgridPlace]:
    """The places that can be what is asked for, the free ones first.

    Raises:
        NoPlace: none can; says what each lacks.
        PlaceFailed: no exporter offers one that can.
    """
    lacking = {place.name: place.lacks(needs) for place in places}
    fit = [place for place in places if lacking[place.name] is None]
    if not fit:
        reasons = "; ".join(f"{name} {lack}" for name, lack in lacking.items())
        raise NoPlace(f"No place can be what is asked for: {reasons or 'there is none at all'}")
    there = [place for place in fit if place.absent is None]
    if not there:
        reasons = "; ".join(f"{place.name}: {place.absent}" for place in fit)
        raise PlaceFailed(f"No board can be had: {reasons}", remedy="Start the exporters, and see `labgrid-client places`.")
    return sorted(there, key=lambda place: (place.holder is not None, place.name))
