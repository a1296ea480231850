"""Reads a rack file; nothing of a board is touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bridge.errors import ProfileError, UsageError
from bridge.ports.lock import lock_key
from bridge.ports.open import check_options
from bridge.rack.model import Place, RackFile
from bridge.yaml_file import read_yaml

#: Names the rack file where a command is given none.
VARIABLE = "NODEMCU_RACK"


def load_rack(path: Path) -> RackFile:
    """Read a rack file.

    Args:
        path: the YAML file; what it names is relative to its folder.

    Raises:
        ProfileError: it is wrong; names file, line and key.
    """
    file = read_yaml(path, RackFile, "a rack file")
    _check_ports(path, file.places)
    if file.state is not None:
        file = file.model_copy(update={"state": str(path.absolute().parent / file.state)})
    return file


def port_key(url: str) -> str:
    """What a port is called here: the same by all its names, also by those of a port that is not there now."""
    return lock_key(url) or (url if "://" in url else os.path.realpath(url))


def _check_ports(path: Path, places: Sequence[Place]) -> None:
    """Refuse what is no port, and one port for two places, in however different words."""
    names: dict[str, Place] = {}
    for place in places:
        if place.port is None:
            continue
        try:
            check_options(place.port)
        except UsageError as error:
            raise ProfileError(f"{path}: {place.name}: {error.message}", remedy=error.remedy) from error
        if place.is_virtual:  # each is a board of its own
            continue
        other = names.setdefault(port_key(place.port), place)
        if other is not place:
            raise ProfileError(
                f"{path}: {other.name} and {place.name} are on one port, {place.port}",
                remedy="Say in the file where each of them is.",
            )
