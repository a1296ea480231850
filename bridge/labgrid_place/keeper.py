"""The keeper: the process in labgrid's environment that has one place for its holder.

python -m bridge.labgrid_place.keeper DESCRIPTOR

The descriptor is a socket to the holder. Both say JSON, a line each. The first line asks for something: `list`, or
`claim` with names of places. After the answer `lease` the holder gives signs of life (`beat`) until it wants to
`release` it, and is told whether it is `wanted`. The keeper prolongs the place at the coordinator, serves its port, and
gives it back when the holder ends, is silent for the time to live, or somebody else has got the place.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from labgrid import Target, target_factory
from labgrid.util.proxy import proxymanager

from bridge.errors import BridgeError, NoPlace, PlaceFailed, RackError
from bridge.labgrid_place.coordinator import Coordinator, holder_of, take_name
from bridge.labgrid_place.env_file import EnvFile, read_env
from bridge.labgrid_place.prepare import power_command, prepare
from bridge.labgrid_place.relay import Relay
from bridge.labgrid_place.turn import Turn, is_wanted, waiting

#: The place is prolonged so many times in a time to live.
BEATS = 4
#: Seconds between looks whether others wait for the place.
LOOK_S = 1.0


class Keeper:
    """One of them.

    Args:
        reader, writer: of the socket to the holder.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ttl = 0.0
        self._heard_at = self._prolonged_at = 0.0
        self._name = ""

    async def run(self) -> None:
        """Do what the holder asks for first, and all that comes of it."""
        request = await self._hear()
        if request is None:
            return
        self._ttl = float(request.get("ttl", 30.0))
        take_name(self._ttl)
        try:
            env = read_env(request["env"])
            coordinator = await Coordinator.connect(env.coordinator)
            try:
                if request["do"] == "list":
                    self.say({"places": _places(coordinator, env), "waiting": await waiting(coordinator)})
                else:
                    await self._claim(request, env, coordinator)
            finally:
                await coordinator.close()
        except BridgeError as error:
            self.say({"refused": type(error).__name__, "why": error.message, "remedy": error.remedy})

    def say(self, message: Mapping[str, Any]) -> None:
        """Tell the holder; one that is gone is told nothing."""
        with contextlib.suppress(OSError):
            self._writer.write(json.dumps(message).encode() + b"\n")

    def end(self, why: str) -> None:
        """The lease is over, or its claim is not wanted any more."""
        if not self._over.done():
            self._over.set_result(why)

    async def _hear(self) -> dict[str, Any] | None:
        try:
            line = await self._reader.readline()
        except OSError:
            return None
        self._heard_at = asyncio.get_running_loop().time()
        return json.loads(line) if line.endswith(b"\n") else None

    async def _claim(self, request: Mapping[str, Any], env: EnvFile, coordinator: Coordinator) -> None:
        turn = Turn(coordinator, request["names"], lambda holders: self.say({"waiting": holders}))
        taking = asyncio.ensure_future(turn.take(request["timeout"]))
        listening = asyncio.ensure_future(self._listen())
        name = None
        try:
            first: set[asyncio.Future[Any]] = {taking, self._over}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                return
            name = taking.result()
            await self._keep(name, request, env, coordinator)
        finally:
            if not taking.done():
                taking.cancel()
                with contextlib.suppress(asyncio.CancelledError, BridgeError):
                    name = await taking
            if name is not None:
                # In this lease's name: who has it by now keeps it.
                with contextlib.suppress(RackError):
                    await coordinator.call("ReleasePlace", placename=name, fromuser=coordinator.name)
            listening.cancel()
            self.say({"released": True})

    async def _keep(self, name: str, request: Mapping[str, Any], env: EnvFile, coordinator: Coordinator) -> None:
        self._name = name
        self._prolonged_at = asyncio.get_running_loop().time()
        beating = asyncio.ensure_future(self._prolong(coordinator))
        looking = asyncio.ensure_future(self._look_for_others(coordinator))
        relay = None
        try:
            role = next((role for role, place in (env.roles or {}).items() if place == name), None)
            if env.environment is not None and role is not None:
                # To its end, whatever becomes of the holder: nobody else may have a board that is being flashed.
                await prepare(env.environment, role, coordinator, name)
            scheme, host, tcp_port = self._port_of(coordinator, name)
            relay = Relay(host, tcp_port, self._is_good)
            await relay.start()
            holder = holder_of(coordinator.place(name))
            assert holder is not None
            self.say({"lease": {
                "place": coordinator.describe(name), "name": coordinator.name, "since": holder[1],
                "power": power_command(coordinator, name, env.environment),
                "port": f"{scheme}://{host}:{tcp_port}",
                "url": f"{scheme}://127.0.0.1:{relay.tcp_port}", "tcp_port": relay.tcp_port,
            }})  # fmt: skip
            why = await self._over
            if why:
                self.say({"lost": why})  # before its client sees the end
        finally:
            beating.cancel()
            looking.cancel()
            if relay is not None:
                relay.cut()

    def _is_good(self) -> bool:
        """False once others may have taken the place for free; a process that was stopped finds out here."""
        return asyncio.get_running_loop().time() - self._prolonged_at < self._ttl

    async def _listen(self) -> None:
        """Hear the holder, and judge its silence."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(self._heard_at + self._ttl):
                    message = await self._hear()
            except TimeoutError:
                return self.end(f"its holder was silent for {loop.time() - self._heard_at:.1f} s")
            if message is None or message["do"] == "release":
                return self.end("")

    async def _prolong(self, coordinator: Coordinator) -> None:
        """Tell the coordinator that the lease is alive, as long as the place is this lease's."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                # Refused to all but who has the place, and counts as a change of it, which those who wait can see.
                await coordinator.call("AllowPlace", placename=self._name, user=coordinator.name)
                self._prolonged_at = began
            except RackError as error:
                if coordinator.is_gone:
                    where = coordinator.address
                    return self.end(f"the coordinator at {where} has gone, and knows nothing of it any more")
                return self.end(f"the place has been taken away: {error.message}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._ttl / BEATS), coordinator.news:
                    await coordinator.news.wait_for(lambda: self._is_taken_away(coordinator))

    async def _look_for_others(self, coordinator: Coordinator) -> None:
        """Tell the holder when somebody begins or ceases to wait for the place; the coordinator does not."""
        wanted = False
        with contextlib.suppress(RackError):  # its end is found out by who prolongs
            while True:
                await asyncio.sleep(LOOK_S)
                if wanted != await is_wanted(coordinator, self._name):
                    wanted = not wanted
                    self.say({"wanted": wanted})

    def _is_taken_away(self, coordinator: Coordinator) -> bool:
        place = coordinator.place(self._name)
        return coordinator.is_gone or place is None or place.acquired != coordinator.name

    def _port_of(self, coordinator: Coordinator, name: str) -> tuple[str, str, int]:
        """Scheme, host and port where the exporter has it, through labgrid's proxy if it must be."""
        entry = coordinator.port(name)
        if entry is None or entry.args.get("port") is None:
            raise PlaceFailed(f"The exporter of the place {name} does not serve its serial port")
        resource = target_factory.make_resource(Target(name), entry.cls, None, entry.args)
        resource.extra = entry.extra
        host, tcp_port = proxymanager.get_host_and_port(resource)
        return "socket" if entry.args.get("protocol") == "raw" else "rfc2217", host, tcp_port


def _places(coordinator: Coordinator, env: EnvFile) -> list[dict[str, Any]]:
    if env.roles is None:
        # A coordinator has places with boards of other kinds, too.
        names = [name for name in sorted(coordinator.session.places) if _is_nodemcu(coordinator, name)]
        return [coordinator.describe(name) for name in names]
    absent = sorted(name for name in env.roles.values() if coordinator.place(name) is None)
    if absent:
        raise NoPlace(f"The coordinator at {coordinator.address} knows no place {', '.join(absent)}")
    return [coordinator.describe(name) for name in env.roles.values()]


def _is_nodemcu(coordinator: Coordinator, name: str) -> bool:
    return any(kind == "NodeMCU" for _, kind in coordinator.resources(name))


async def _main(descriptor: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    keeper = Keeper(reader, writer)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, keeper.end, "its keeper was told to end")
    try:
        await keeper.run()
    except Exception as error:
        keeper.say({"refused": "RackError", "why": f"The keeper has failed: {error!r}", "remedy": None})
        raise
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await writer.drain()
        writer.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
