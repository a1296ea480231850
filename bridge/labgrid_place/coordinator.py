"""A session with a coordinator of labgrid, under the name of one lease."""

from __future__ import annotations

import asyncio
import getpass
import math
import os
import re
import secrets
import socket
import time
from typing import Any

import grpc
from labgrid.remote.client import ClientSession
from labgrid.remote.client import Error as LabgridError
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages
from labgrid.util.proxy import proxymanager

from bridge.errors import RackError
from bridge.labgrid_place.resource import words

#: labgrid's own.
DEFAULT_PORT = 20408
#: Seconds for a coordinator to answer.
ANSWER_S = 10.0
#: The name under which a lease has a place: host/user~30s~since~token. labgrid knows no time after which a place is
#: free, and notes the time of every change alone: the name says both to those who wait.
_NAME = re.compile(r"(?P<host>[^/]+)/(?P<user>[^/]+)~(?P<ttl>\d+)s~(?P<since>[0-9a-f]+)~[0-9a-f]+")


def take_name(ttl: float) -> None:
    """Make up the name of a lease, for all that this process says to coordinators.

    A name of its own is the fence: only the lease that has a place gives it back, prolongs it or switches its power,
    and what another lease of the same user does is not taken for it.
    """
    os.environ["LG_HOSTNAME"] = socket.gethostname()
    os.environ["LG_USERNAME"] = f"{_user()}~{math.ceil(ttl)}s~{int(time.time()):x}~{secrets.token_hex(4)}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def ttl_of(holder: str) -> float | None:
    """Seconds after which a silent holder may be taken for dead; None: it is no lease of this package."""
    found = _NAME.fullmatch(holder)
    return float(found["ttl"]) if found else None


def holder_of(place: Any) -> tuple[str, float] | None:
    """Who has a place of labgrid, for a person, and since when in seconds since 1970; None: nobody."""
    if not place.acquired:
        return None
    since = since_of(place.acquired)
    return person(place.acquired), float(place.changed) if since is None else since


def person(name: str) -> str:
    """Whose a name is under which labgrid knows somebody: host/user."""
    found = _NAME.fullmatch(name)
    return name if found is None else f"{found['host']}/{found['user']}"


def since_of(name: str) -> float | None:
    """When a lease took its name, in seconds since 1970; None: it is none of this package."""
    found = _NAME.fullmatch(name)
    return None if found is None else float(int(found["since"], 16))


class Coordinator:
    """A session that is open; see `connect`.

    Attributes:
        address: host:port.
        name: under which this session has places.
    """

    def __init__(self, address: str, session: ClientSession) -> None:
        self.address, self._session = address, session
        self.name = f"{session.gethostname()}/{session.getuser()}"
        self.news = asyncio.Condition()
        self._unavailable = False
        self._tell_of_news()

    @classmethod
    async def connect(cls, address: str) -> Coordinator:
        """Open a session.

        Args:
            address: host, or host:port.

        Raises:
            RackError: nobody answers there.
        """
        address = proxymanager.get_grpc_address(address, default_port=DEFAULT_PORT)
        session = ClientSession(address, asyncio.get_running_loop())
        try:
            async with asyncio.timeout(ANSWER_S):
                await session.start()
        except (TimeoutError, LabgridError) as error:
            await session.close()
            raise RackError(
                f"No coordinator of labgrid answers at {address}",
                remedy="Start labgrid-coordinator there, or name another one.",
            ) from error
        return cls(address, session)

    @property
    def session(self) -> ClientSession:
        """labgrid's own."""
        return self._session

    @property
    def is_gone(self) -> bool:
        """True when the coordinator has ended the session; it has forgotten who had what."""
        return self._unavailable or bool(self._session.stopping.is_set())

    def place(self, name: str) -> Any:
        """A place as labgrid has it, or None."""
        return self._session.places.get(name)

    def resources(self, name: str) -> dict[tuple[str, str], Any]:
        """The resources that a place matches, by name and class, whether they are taken or not."""
        place = self.place(name)
        found = {}
        for exporter, groups in self._session.resources.items():
            for group, entries in groups.items():
                for key, entry in entries.items():
                    if entry.data and (match := place.getmatch((exporter, group, entry.cls, key))) is not None:
                        found[match.rename or key, entry.cls] = entry
        return found

    def port(self, name: str) -> Any:
        """The serial port of a place, or None."""
        return next((one for (_, kind), one in self.resources(name).items() if kind == "NetworkSerialPort"), None)

    def describe(self, name: str) -> dict[str, Any]:
        """What there is to know of a place, for its holder (`bridge.labgrid_place.rack.place_of`)."""
        place = self.place(name)
        resources = self.resources(name)
        facts: dict[str, Any] = next((one.args for (_, kind), one in resources.items() if kind == "NodeMCU"), {})
        holder = holder_of(place)
        return {
            "name": name,
            # The port itself is at its exporter, and is another one each time.
            "port": f"labgrid://{self.address}/{name}",
            "mac": facts.get("mac", "").lower() or None,
            "profile": facts.get("profile") or None,
            "tags": sorted({*words(facts.get("tags", "")), *(f"{key}={value}" for key, value in place.tags.items())}),
            "modules": words(facts["modules"]) if facts.get("modules") else None,
            "flash": facts.get("flash") or None,
            "lua": facts.get("lua") or None,
            "reset": facts.get("reset", "lines"),
            "holder": None if holder is None else holder[0],
            "since": None if holder is None else holder[1],
            "ttl": ttl_of(place.acquired or ""),
            "absent": self.absent(name),
        }

    def absent(self, name: str) -> str | None:
        """Why no board can be had at a place now, or None."""
        port = self.port(name)
        if port is None:
            return "no exporter that is connected offers a serial port for it"
        return None if port.avail else "its serial port is not plugged in"

    async def call(self, method: str, **fields: Any) -> Any:
        """Ask the coordinator for something, e.g. `AcquirePlace`, and see what comes of it.

        Raises:
            RackError: it refuses, in its own words, or is gone.
        """
        request = getattr(messages, f"{method}Request")(**fields)
        try:
            async with asyncio.timeout(ANSWER_S + 10):  # it waits 10 s for exporters itself
                answer = await getattr(self._session.stub, method)(request)
                await self._session.sync_with_coordinator()
        except grpc.aio.AioRpcError as error:
            self._unavailable |= error.code() == grpc.StatusCode.UNAVAILABLE
            raise RackError(f"The coordinator at {self.address} says: {error.details()}") from error
        except TimeoutError as error:
            raise RackError(f"The coordinator at {self.address} does not answer") from error
        return answer

    async def close(self) -> None:
        """End the session. Places stay taken."""
        await self._session.stop()
        await self._session.close()

    def _tell_of_news(self) -> None:
        """Wake who waits for `news` whenever a place or a resource has changed, or the coordinator has gone."""
        on_place, on_resource = self._session.on_place_changed, self._session.on_resource_changed

        async def tell() -> None:
            async with self.news:
                self.news.notify_all()

        async def place_changed(*what: Any) -> None:
            await on_place(*what)
            await tell()

        async def resource_changed(*what: Any) -> None:
            await on_resource(*what)
            await tell()

        self._session.on_place_changed = place_changed
        self._session.on_resource_changed = resource_changed
        self._gone = asyncio.ensure_future(self._session.stopping.wait())
        self._gone.add_done_callback(lambda _: asyncio.ensure_future(tell()))
