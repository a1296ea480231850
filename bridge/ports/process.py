"""Whether a process is still there. Imported by the keeper of leases: it needs little."""

from __future__ import annotations

import os
import sys


def lives(pid: int) -> bool:
    """True if there is a process of this number, whoever's it is; on Windows always, as asking would end it there.

    Args:
        pid: as a file says it, so it may be any number.
    """
    if sys.platform == "win32":
        return True
    if pid <= 0:  # the system takes these for groups of processes
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
