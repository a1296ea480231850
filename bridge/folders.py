"""Where a user's own files lie, by the XDG rules for folders. None is made here; each can be put elsewhere.

A user without a home folder, as in a container or a service, has none of them: what can do without does.
"""

from __future__ import annotations

import os
from pathlib import Path

from bridge.errors import UsageError

_NAME = "nodemcu-bridge"


def profile_folder() -> Path:
    """The user's own board profiles: `$NODEMCU_BRIDGE_PROFILES`, or `nodemcu-bridge/profiles` of the configuration.

    Raises:
        UsageError: there is no home folder; says what to set.
    """
    return _chosen("NODEMCU_BRIDGE_PROFILES") or _folder("XDG_CONFIG_HOME", ".config") / "profiles"


def firmware_folder() -> Path:
    """The firmware images that were added: `$NODEMCU_BRIDGE_FIRMWARE`, or `nodemcu-bridge/firmware` of the data.

    Raises:
        UsageError: there is no home folder; says what to set.
    """
    return _chosen("NODEMCU_BRIDGE_FIRMWARE") or _folder("XDG_DATA_HOME", ".local/share") / "firmware"


def state_folder() -> Path:
    """What is known of boards and remembered from run to run: `nodemcu-bridge` of the state.

    Raises:
        UsageError: there is no home folder; says what to set.
    """
    return _folder("XDG_STATE_HOME", ".local/state")


def _chosen(variable: str) -> Path | None:
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen else None


def _folder(xdg: str, below_home: str) -> Path:
    base = os.environ.get(xdg)
    # The rules: a path that is not absolute does not count.
    return (Path(base) if base and os.path.isabs(base) else _home(xdg) / below_home) / _NAME


def _home(xdg: str) -> Path:
    try:
        return Path.home()
    except RuntimeError:  # neither HOME nor the system's list of users names one
        raise UsageError(
            "This user has no home folder to keep files in",
            remedy=f"Set HOME, or {xdg} to a folder that can be written.",
        ) from None
