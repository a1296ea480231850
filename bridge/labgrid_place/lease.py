"""A place of labgrid that this process has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bridge.labgrid_place.talk import Message, Talk
from bridge.ports.base import Port
from bridge.rack.lease import Lease
from bridge.rack.lease_port import open_lease_port
from bridge.rack.model import Place


class LabgridLease(Lease):
    """The exclusive use of a place; made by `bridge.labgrid_place.rack.LabgridRack`.

    Args:
        place: what is leased; its power commands speak in the name of the lease.
        said: by the keeper.
        talk: with the keeper.
        places: of the rack.

    Attributes:
        name: under which the coordinator has it.
        keeper: number of the process that has the place.
    """

    def __init__(self, place: Place, said: Message, talk: Talk, places: Sequence[Place]) -> None:
        # labgrid does not count leases. The time of one is good enough to tell it from those before.
        super().__init__(place, said["port"], int(said["since"]), lambda: None, places)
        self.since = float(said["since"])
        self.name: str = said["name"]
        self.keeper = talk.pid
        self.url = said["url"]
        self._tcp_port: int = said["tcp_port"]
        self._talk = talk

    def check(self) -> None:
        if self._over is None:
            self._over = self._talk.judge()
        super().check()

    async def until_lost(self) -> None:
        await self._talk.loss.wait()

    def is_wanted(self) -> bool:
        return self._talk.is_wanted

    async def release(self) -> None:
        try:
            await super().release()
        finally:
            # Also where its port cannot be closed; and to the end, also when the caller is cancelled: the next one may
            # come at once.
            await asyncio.shield(asyncio.to_thread(self._talk.end))

    async def _open(self, baud: int) -> Port:
        return await open_lease_port(self.port, self._tcp_port, baud, self.check, self._talk.hear_out)
