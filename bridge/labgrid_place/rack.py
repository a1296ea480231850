"""The places of a coordinator of labgrid as a rack, with boards on more than one machine.

A lease of it is what a lease of any rack is. What differs lies in labgrid: the coordinator says who has a place, and an
exporter serves its port.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.errors import NoPlace, UsageError
from bridge.labgrid_place.lease import LabgridLease
from bridge.labgrid_place.status import labgrid_status
from bridge.labgrid_place.talk import Message, Talk
from bridge.portal import portal
from bridge.rack.claiming import healthy
from bridge.rack.lease import Lease
from bridge.rack.model import Capabilities, Place, Power, RackFile
from bridge.rack.needs import Needs
from bridge.rack.rack import Rack
from bridge.rack.status import RackStatus

#: Seconds that a holder may be silent.
TTL = 30.0
#: Seconds for a coordinator to say what it has.
_LIST_S = 30.0
_ANY = Needs()


class LabgridRack(Rack):
    """The places that an environment file names, or all of a coordinator that have a NodeMCU. Made by `open`.

    Args:
        env: an environment file of labgrid, or host:port of a coordinator.
        places: of it.
        ttl: seconds after which a holder that is silent loses its place.
        told: called with who holds what, by place, while a claim waits.
    """

    def __init__(
        self,
        env: str,
        places: Sequence[Place],
        *,
        ttl: float = TTL,
        told: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        super().__init__(RackFile(version=1, ttl=ttl, places=[*places]))
        self.env, self.ttl, self._told = env, ttl, told

    @classmethod
    async def open(
        cls, env: str, *, ttl: float = TTL, told: Callable[[Mapping[str, str]], None] | None = None
    ) -> LabgridRack:
        """Ask a coordinator for its places.

        Raises:
            UsageError: the environment file is none, or there is no labgrid.
            RackError: nobody answers at the coordinator.
            NoPlace: it does not know a place of the file, or has none with a NodeMCU.
        """
        said = (await ask(env))["places"]
        if not said:
            raise NoPlace(
                f"The coordinator at {env} has no place with a NodeMCU",
                remedy="Export a resource NodeMCU beside the serial port, or name the places in an environment file.",
            )
        return cls(env, [place_of(one) for one in said], ttl=ttl, told=told)

    async def claim_many(
        self, count: int, needs: Needs = _ANY, *, purpose: str = "", timeout: float | None = None
    ) -> list[Lease]:
        """Get several boards: all or none. See `bridge.rack.rack.Rack.claim`.

        Those who claim several wait for them in one order, so that none has what another waits for and the other way
        round. labgrid has no word for what a place is wanted for: others who wait are not told the purpose.
        """
        if count < 1:
            raise UsageError(f"{count} boards cannot be claimed", remedy="Claim at least one.")
        names = [place.name for place in healthy(count, self._fitting(count, needs), self.folder)]
        loop = asyncio.get_running_loop()
        until = None if timeout is None else loop.time() + timeout
        leases: list[Lease] = []
        try:
            if count == 1:
                return [await self._claim(names, timeout)]
            for name in sorted(names[:count]):
                leases.append(await self._claim([name], None if until is None else max(0.0, until - loop.time())))
        except BaseException:
            async with contextlib.AsyncExitStack() as stack:  # one that cannot be given back keeps no other
                for lease in leases:
                    stack.push_async_callback(lease.release)
            raise
        return leases

    def folders_of_changes(self) -> list[Path]:
        return []

    def status(self) -> RackStatus:
        """Who holds what and who waits, by the coordinator; and which places are quarantined on this computer.

        Raises:
            RackError: nobody answers at the coordinator.
        """
        said = portal().call(ask(self.env))
        return labgrid_status(self.places, said["places"], said["waiting"], self.folder)

    async def _claim(self, names: list[str], timeout: float | None) -> LabgridLease:
        talk = Talk({"do": "claim", "env": self.env, "names": names, "timeout": timeout}, self.ttl)
        try:
            while "lease" not in (said := await talk.hear()):
                if "waiting" in said and self._told is not None:
                    self._told(said["waiting"])
            place = place_of(said["lease"]["place"], said["lease"]["power"])
            return LabgridLease(place, said["lease"], talk, self.places)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(talk.end))
            raise


def open_rack(env: str) -> LabgridRack:
    """`LabgridRack.open` without `await`; its leases live on the loop of `bridge.portal`."""
    return portal().call(LabgridRack.open(env))


async def ask(env: str) -> dict[str, list[dict[str, Any]]]:
    """What a coordinator knows now of its `places`, and of who is `waiting` for them.

    Raises:
        As `LabgridRack.open`.
    """
    talk = Talk({"do": "list", "env": env}, _LIST_S)
    try:
        return dict(await talk.hear())
    finally:
        await asyncio.to_thread(talk.end)


def place_of(said: Message, power: Sequence[str] | None = None) -> Place:
    """A place as racks have it.

    Args:
        said: by a keeper.
        power: command that switches its power, without what it is to do.

    Raises:
        UsageError: what labgrid says of it is not what it must be; names it.
    """
    try:
        commands = None if power is None else {action: [*power, action] for action in ("on", "off", "cycle")}
        return Place(
            name=said["name"],
            port=said["port"],
            mac=said["mac"],
            profile=said["profile"],
            tags=said["tags"],
            capabilities=Capabilities(flash=said["flash"], modules=said["modules"], lua=said["lua"]),
            power=Power.model_validate({"reset": said["reset"], "command": commands}),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"The place {said['name']} of labgrid cannot be used: {first['loc'][-1] if first['loc'] else 'it'}: "
            f"{first['msg']}",
            remedy="Correct its resource NodeMCU in its exporter's file.",
        ) from error
