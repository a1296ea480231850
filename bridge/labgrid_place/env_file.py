"""An environment file of labgrid: which coordinator, and which of its places under which names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from labgrid import Environment, target_factory

from bridge.errors import UsageError

#: Where labgrid looks for a coordinator when it is told nothing.
_DEFAULT = "127.0.0.1:20408"


@dataclass(frozen=True)
class EnvFile:
    """What a file says; without one, all places of a coordinator are meant."""

    coordinator: str
    roles: dict[str, str] | None
    """Name of a target: name of its place. None without a file."""
    environment: Environment | None


def read_env(what: str) -> EnvFile:
    """Read an environment file, or take the address of a coordinator.

    Args:
        what: path of a file, or host:port.

    Raises:
        UsageError: there is no such file, it is not one, or no target of it is at a place of a coordinator.
    """
    if not Path(what).exists() and what.rpartition(":")[2].isdigit():
        return EnvFile(what, None, None)
    try:
        environment = Environment(what)
        targets = environment.config.get_targets()
        roles = {}
        for role, config in targets.items():
            resources, _ = target_factory.normalize_config(config)
            for place in resources.get("RemotePlace", {}):
                roles[str(role)] = str(place)
        address = environment.config.get_option("coordinator_address", os.environ.get("LG_COORDINATOR", _DEFAULT))
    except Exception as error:  # labgrid and what the file imports raise what they like
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(f"{what} is no environment file of labgrid: {said[0]}") from error
    if not roles:
        raise UsageError(
            f"{what} names no place of a coordinator", remedy="Give a target the resource RemotePlace with its name."
        )
    return EnvFile(address, roles, environment)
