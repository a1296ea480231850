"""What labgrid's drivers do for a place that has been taken: its strategy before its holder gets it, and its power."""

from __future__ import annotations

import asyncio
import sys

from labgrid import Environment, target_factory
from labgrid.exceptions import NoStrategyFoundError
from labgrid.resource.remote import RemotePlaceManager
from labgrid.strategy import StrategyError

from bridge.errors import BridgeError, PlaceFailed
from bridge.labgrid_place.coordinator import Coordinator

#: The state in which a holder gets a board: it makes the agent ready itself.
STATE = "flashed"


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
    said = (error.msg if isinstance(error, StrategyError) else str(error)).strip().splitlines()
    return said[0] if said else type(error).__name__


def power_command(coordinator: Coordinator, name: str, environment: Environment | None) -> list[str] | None:
    """The command that switches the power of a place in the name of the lease, without what it is to do.

    Args:
        coordinator: the session that has the place.
        name: of the place.
        environment: of the file that names it, whose power drivers count, or None.

    Returns:
        None if labgrid knows no power control for it.
    """
    exported = any("Power" in kind for _, kind in coordinator.resources(name))
    named = environment is not None and any("Power" in kind for kind in _drivers_at(environment, name))
    if not exported and not named:
        return None
    session = coordinator.session
    who = [f"LG_HOSTNAME={session.gethostname()}", f"LG_USERNAME={session.getuser()}"]
    file = [] if environment is None else ["-c", environment.config_file]
    client = [sys.executable, "-m", "labgrid.remote.client"]
    return ["env", *who, *client, "-x", coordinator.address, *file, "-p", name, "power"]


def _drivers_at(environment: Environment, name: str) -> set[str]:
    found: set[str] = set()
    for config in environment.config.get_targets().values():
        resources, drivers = target_factory.normalize_config(config)
        if name in resources.get("RemotePlace", {}):
            found |= drivers.keys()
    return found
