"""Where a user's own files lie, by the XDG rules for folders. None is made here; each can be put elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

_NAME = "nodemcu-bridge"


def profile_folder() -> Path:
    """The user's own board profiles: `$NODEMCU_BRIDGE_PROFILES`, or `nodemcu-bridge/profiles` of the configuration."""
    return _folder("NODEMCU_BRIDGE_PROFILES", "XDG_CONFIG_HOME", ".config", "profiles")


def firmware_folder() -> Path:
    """The firmware images that were added: `$NODEMCU_BRIDGE_FIRMWARE`, or `nodemcu-bridge/firmware` of the data."""
    return _folder("NODEMCU_BRIDGE_FIRMWARE", "XDG_DATA_HOME", ".local/share", "firmware")


def _folder(own: str, xdg: str, below_home: str, name: str) -> Path:
    chosen = os.environ.get(own)
    if chosen:
        return Path(chosen)
    base = os.environ.get(xdg)
    # The rules: a path that is not absolute does not count.
    root = Path(base) if base and os.path.isabs(base) else Path.home() / below_home
    return root / _NAME / name
