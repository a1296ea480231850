"""Whether another process has a file locked by `flock`. Imported by the keeper of leases: it needs little."""

from __future__ import annotations

import os
import sys

if sys.platform != "win32":
    import fcntl


def is_locked(path: str) -> bool:
    """True if another process has a file locked, or if that cannot be seen because its user keeps others from it.

    Args:
        path: of the file; a link is not followed, and where nothing is nothing is locked.
    """
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        return True  # what cannot be known to be free is not free
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
