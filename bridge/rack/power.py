"""Resets a leased board by its lines, and switches its power by the programs of the rack file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from bridge.errors import PlaceFailed
from bridge.ports.base import Port
from bridge.profile import load_profile
from bridge.rack.lease import Lease

#: Seconds that the reset is held where no profile says it.
_HOLD_S = 0.1
#: Seconds that a program may take, and that the board is without power between off and on.
_PROGRAM_S, _OFF_S = 60.0, 1.0
#: Characters of a program's last words that are shown.
_WORDS = 300


async def reset(lease: Lease) -> None:
    """Reset the board by DTR and RTS. Nothing else may have its port open.

    Raises:
        PlaceFailed: its lines are not wired.
        PortError: it has no such lines, or its port does not work.
        LeaseLost: the lease is over.
    """
    place = lease.place
    profile = None if place.profile is None else load_profile(place.profile)
    if place.power.reset == "none" or (profile is not None and profile.reset.lines == "none"):
        raise PlaceFailed(
            f"{place.name} has no reset lines", port=lease.port, remedy="Reset it by hand, or give it a power command."
        )
    port = await lease.open_port()
    try:
        await _pulse(port, _HOLD_S if profile is None else profile.reset.hold_ms / 1000)
    finally:
        await port.close()


async def _pulse(port: Port, seconds: float) -> None:
    await port.set_lines(dtr=False, rts=False)
    await port.set_lines(rts=True)
    await asyncio.sleep(seconds)
    await port.set_lines(rts=False)


async def power_cycle(lease: Lease) -> None:
    """Take the board's power away and give it back. Nothing else may have its port open.

    Raises:
        PlaceFailed: the rack file has no program for that, or it failed; carries its last words.
        LeaseLost: the lease is over.
    """
    command = lease.place.power.command
    if command is None:
        raise PlaceFailed(
            f"{lease.place.name} has no power command",
            port=lease.port,
            remedy="Unplug it by hand, or give it one in the rack file.",
        )
    if command.cycle is not None:
        await _run(lease, command.cycle)
        return
    assert command.off is not None and command.on is not None
    await _run(lease, command.off)
    try:
        await asyncio.sleep(_OFF_S)
    finally:
        await _run(lease, command.on)


async def _run(lease: Lease, arguments: list[str]) -> None:
    lease.check()
    where = {"port": lease.port, "remedy": "See what the program needs; the rack file names it under power."}
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "NODEMCU_PLACE": lease.place.name, "NODEMCU_PORT": lease.port},
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise PlaceFailed(f"{lease.place.name}: {arguments[0]} cannot be run ({why})", **where) from error
    try:
        async with asyncio.timeout(_PROGRAM_S):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise PlaceFailed(
            f"{lease.place.name}: {arguments[0]} does not end within {_PROGRAM_S:g} s", **where
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        words = " ".join(said.decode(errors="replace").split())[-_WORDS:]
        what = f"{lease.place.name}: {arguments[0]} failed (exit code {process.returncode})"
        raise PlaceFailed(f"{what}: {words}" if words else what, **where)
