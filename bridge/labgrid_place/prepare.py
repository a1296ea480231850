"""What labgrid's drivers do for a place that has been taken: its strategy before its holder gets it, and its power."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from labgrid import Environment
from labgrid.exceptions import NoStrategyFoundError
from labgrid.resource.remote import RemotePlaceManager
from labgrid.strategy import StrategyError

from bridge.errors import BridgeError, PlaceFailed
from bridge.labgrid_place.coordinator import Coordinator

#: The state in which a holder gets a board: it makes the agent ready itself.
STATE = "flashed"
#: Seconds that switching power may take.
_POWER_S = 60.0


async def prepare(environment: Environment, role: str, coordinator: Coordinator, name: str) -> None:
    """Bring a board to the state in which a holder gets it, if its target has a strategy that knows that state.

    Args:
        environment: of the file that names the target.
        role: of the target.
        coordinator: the session that has the place.
        name: of the place.

    Raises:
        PlaceFailed: the strategy cannot; says why.
    """
    manager = RemotePlaceManager.get()
    # As labgrid's client does: the target is to use this session, which has the place.
    manager.session, manager.loop, manager.env = coordinator.session, asyncio.get_running_loop(), environment
    try:
        await asyncio.to_thread(_transition, environment, role)
    except Exception as error:  # drivers raise what they like
        raise PlaceFailed(f"The place {name} cannot be made ready: {_why(error)}") from error


def _transition(environment: Environment, role: str) -> None:
    target = environment.get_target(role)
    try:
        strategy = target.get_strategy()
    except NoStrategyFoundError:
        return
    if STATE not in getattr(strategy, "states", {}):
        return
    try:
        strategy.transition(STATE)
    finally:
        target.deactivate_all_drivers()


def _why(error: BaseException) -> str:
    """The innermost reason that is meant for a person."""
    while isinstance(error, StrategyError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BridgeError):
        return str(error)
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__


async def switch_power(coordinator: Coordinator, name: str, action: str, env_file: str | None) -> None:
    """Switch the power of a place by what labgrid knows of it: the drivers of the environment file, or the resource.

    Args:
        coordinator: the session that has the place.
        name: of the place.
        action: "on", "off" or "cycle".
        env_file: path, or None.

    Raises:
        PlaceFailed: it cannot; in the words of labgrid.
    """
    command = [sys.executable, "-m", "labgrid.remote.client", "-x", coordinator.address, "-p", name]
    if env_file is not None:
        command += ["-c", env_file]
    process = await asyncio.create_subprocess_exec(
        *command, "power", action, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(_POWER_S):
            out, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        raise PlaceFailed(f"Switching the power of the place {name} took more than {_POWER_S:g} s") from error
    if process.returncode:
        said = out.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise PlaceFailed(
            f"The power of the place {name} cannot be switched: {said[-1]}",
            remedy="Export a power port for it, or bind a power driver to its target in the environment file.",
        )
