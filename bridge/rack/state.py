"""Where a rack keeps locks and records, and what boards and ports are called there."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.ports.lock import lock_folder, lock_key, lock_name
from bridge.rack.model import Place


def state_folder() -> Path:
    """Where racks keep locks and records unless their file says another place; the same for all users."""
    return lock_folder().with_name("nodemcu-bridge-racks")


def is_device(url: str) -> bool:
    """True for a serial device of this computer."""
    return "://" not in url and not url.lower().startswith("virtual:")


def board_key(place: Place) -> str:
    """What a place's board is called: by its MAC where that is known, else by its port.

    By the name of a device in the rack file, as a link to it leads elsewhere when it was plugged in anew, or nowhere.
    Who names it otherwise is kept out by the port's own lock.
    """
    if place.mac is not None:
        return lock_name(f"mac {place.mac}")
    if place.port is not None:
        if is_device(place.port):
            return lock_name(os.path.abspath(place.port))
        # All users can read the names of files: that of a virtual board may have a password in it.
        return lock_name(lock_key(place.port) or place.where)
    return lock_name(place.where)


def port_lock(url: str) -> tuple[str, str] | None:
    """Folder and name of a port's lock, as `bridge.ports.lock` has it; None for a port that has none."""
    key = lock_key(url)
    return None if key is None else (str(lock_folder()), lock_name(key))
