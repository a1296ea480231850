"""A rack: its places, and how one gets a lease of a board."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.errors import NoPlace, UsageError
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.ports.lock import lock_folder
from bridge.ports.open import check_options
from bridge.rack.claiming import Claiming, healthy
from bridge.rack.find import Finder
from bridge.rack.lease import Lease
from bridge.rack.load import port_key
from bridge.rack.model import Place, RackFile
from bridge.rack.needs import Needs
from bridge.rack.own_places import OwnPlaces
from bridge.rack.state import is_device, state_folder
from bridge.rack.status import RackStatus, rack_status

_ANY = Needs()


class Rack:
    """The places of a rack file.

    Args:
        file: what the file says.
        folder: of locks and records, in place of the file's; for tests.
        ports: lists the adapters there are; for tests.
    """

    def __init__(
        self,
        file: RackFile,
        *,
        folder: Path | None = None,
        ports: Callable[[], Sequence[PortInfo]] = list_boards,
    ) -> None:
        self._file = file
        self._folder = folder or (Path(file.state) if file.state is not None else state_folder())
        self._own = OwnPlaces()
        self._claiming = Claiming(self._folder, file.ttl, Finder(file.places, self._folder, ports))

    @classmethod
    def of_ports(cls, urls: Sequence[str], *, ttl: float = 30.0, folder: Path | None = None) -> Rack:
        """A rack of ports: its places are board-1, board-2, ….

        Args:
            urls: as for `bridge.open_board`.
            ttl: seconds after which a holder that stands still loses its lease.
            folder: of locks and records; for tests.

        Raises:
            UsageError: one is no port, or one is there twice.
        """
        if not urls:
            raise UsageError("There is no rack without a port", remedy="Give at least one.")
        named: dict[str, str] = {}
        for url in urls:
            check_options(url)
            if url.lower().startswith("virtual:"):  # each is a board of its own
                continue
            other = named.get(port_key(url))
            if other is not None:
                same = url if url == other else f"{other} and {url}"
                raise UsageError(f"{same} would be two places on one port", port=url, remedy="Give it once.")
            named[port_key(url)] = url
        places = [Place(name=f"board-{number}", port=url) for number, url in enumerate(urls, 1)]
        return cls(RackFile(version=1, ttl=ttl, places=places), folder=folder)

    @property
    def places(self) -> tuple[Place, ...]:
        """All places, in the file's order."""
        return tuple(self._file.places)

    @property
    def folder(self) -> Path:
        """Where locks and records are."""
        return self._folder

    async def claim(self, needs: Needs = _ANY, *, purpose: str = "", timeout: float | None = None) -> Lease:
        """Get a board; waits in turn while others hold those that fit.

        Args:
            needs: what it must have.
            purpose: what for, in a few words; others who wait are told it.
            timeout: seconds to wait; None for ever.

        Raises:
            NoPlace: no place of the rack can ever be that; says what is missing.
            PlaceBusy: others hold what fits; says who, since when.
            PlaceFailed: the state folder cannot be used.
            PortError: the port of the only place that fits does not work.
        """
        return (await self.claim_many(1, needs, purpose=purpose, timeout=timeout))[0]

    async def claim_many(
        self, count: int, needs: Needs = _ANY, *, purpose: str = "", timeout: float | None = None
    ) -> list[Lease]:
        """Get several boards at once: all or none. See `claim`.

        While it waits for boards of others nothing is held, but for boards of this process (`virtual:`).
        """
        if count < 1:
            raise UsageError(f"{count} boards cannot be claimed", remedy="Claim at least one.")
        fitting = healthy(count, self._fitting(count, needs), self._folder)
        own = [place for place in fitting if place.is_virtual]
        if len(own) >= count and (len(own) == len(fitting) or self._own.free(own) >= count):
            return await self._own.claim(count, own, timeout)
        kept = [place for place in fitting if not place.is_virtual]
        # Those of this process first, in all claims: of two that want both kinds one gets on.
        of_own = max(count - len(kept), 0)
        until = None if timeout is None else time.monotonic() + timeout
        leases = await self._own.claim(of_own, own, timeout) if of_own else []
        try:
            left = None if until is None else max(0.0, until - time.monotonic())
            return leases + await self._claiming.claim(count - of_own, kept, purpose, left)
        except BaseException:
            for lease in leases:
                await lease.release()
            raise

    def status(self) -> RackStatus:
        """Who holds what, who waits, and which places are quarantined."""
        return rack_status(self.places, self._folder)

    def folders_of_changes(self) -> list[Path]:
        """Folders in which something changes when the status does; none where that does not show in files."""
        devices = [place.port for place in self.places if place.port is not None and is_device(place.port)]
        return [self._folder, lock_folder(), *(Path(device).absolute().parent for device in devices)]

    def place(self, name: str) -> Place:
        """The place of a name.

        Raises:
            UsageError: there is none.
        """
        found = next((place for place in self.places if place.name == name), None)
        if found is None:
            known = ", ".join(place.name for place in self.places)
            raise UsageError(f"The rack has no place {name}", remedy=f"It has {known}.")
        return found

    def _fitting(self, count: int, needs: Needs) -> list[Place]:
        fitting = needs.fitting(self.places)
        if len(fitting) >= count:
            return fitting
        if count > 1 and fitting:
            what = f"{count} boards with {needs} are wanted, and {len(fitting)} places of the rack fit"
            raise NoPlace(what, remedy="Ask for less, or add places to the rack.")
        lacks = "; ".join(f"{place.name} {', '.join(needs.missing(place))}" for place in self.places)
        raise NoPlace(f"No place of the rack fits ({needs}): {lacks}", remedy="Ask for less, or add one to the rack.")
