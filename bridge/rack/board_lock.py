"""The lock of a board: a file that the system locks for the process that has it open (flock), for all users.

Each user locks a file of his own and looks at those of others, as for ports (`bridge.ports.lock`). Who has locked his
own looks at the others' after that: of two who do so at once at most one sees no other. A lock goes with its process,
however that ends. Imported by the keeper: it needs little.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator

from bridge.ports.file_lock import is_locked

_KIND = ".lock"


class BoardLock:
    """A lock that this process has; made by `take_lock`.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def base(self) -> str:
        """The file's path without its ending: what belongs to the lock stands beside it."""
        return self.path.removesuffix(_KIND)

    def is_ours(self) -> bool:
        """False when the file was taken away, so that another could be locked in its place."""
        return _is_same(self.path, self._descriptor)

    def touch(self) -> None:
        """Say that its holder lives: the file's time of change. That needs no room on the disk."""
        with contextlib.suppress(OSError):
            os.utime(self._descriptor)

    def release(self) -> None:
        """Give it back. Doing it again does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def prepare_folder(folder: str) -> None:
    """Make the folder, for all users, if it is not there; those above it that are made all may pass through.

    Raises:
        OSError: it cannot be made, or is no folder.
    """
    if os.path.lexists(folder):
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder)
        return
    above = os.path.dirname(os.path.abspath(folder))
    if not os.path.isdir(above):
        _make_way(above)
    # Everybody may add a file, nobody may remove another's. What mkdir is told is cut by the umask; so nobody sees it
    # before it is right.
    new = f"{folder}.{os.getpid()}.{time.monotonic_ns()}"
    os.mkdir(new, 0o700)
    try:
        os.chmod(new, 0o1777)
        os.rename(new, folder)
    except OSError:
        os.rmdir(new)
        if not os.path.isdir(folder):  # else another was quicker, and has files there already
            raise


def _make_way(folder: str) -> None:
    above = os.path.dirname(folder)
    if not os.path.isdir(above):
        _make_way(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
        os.chmod(folder, 0o755)


def take_lock(folder: str, name: str) -> BoardLock | None:
    """Lock a name for this process.

    Args:
        folder: of the locks; it exists.
        name: as the name of a file.

    Returns:
        None if another process has it, or looks at it in this very moment.

    Raises:
        OSError: the file cannot be made: the folder is full or read-only, or another user has made it.
    """
    path = os.path.join(folder, f"{name}.{os.getuid()}{_KIND}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    lock = BoardLock(path, descriptor)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():  # who has made it may take it away
            raise PermissionError(errno.EPERM, f"another user has made {os.path.basename(path)}")
        # Before it is locked: what a look at it would not be allowed to open would be nobody's to that user.
        os.fchmod(descriptor, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = _is_same(path, descriptor) and not any(is_locked(other) for other in _all(folder, name) if other != path)
    except BlockingIOError:
        free = False
    except BaseException:
        lock.release()
        raise
    if free:
        return lock
    lock.release()
    return None


def locked_by(folder: str, name: str) -> str | None:
    """Path, without its ending, of the lock of a name that somebody has; None if nobody has."""
    return next((path.removesuffix(_KIND) for path in _all(folder, name) if is_locked(path)), None)


def bases(folder: str, name: str) -> list[str]:
    """Paths, without their endings, of all users' files of a name."""
    return [path.removesuffix(_KIND) for path in _all(folder, name)]


def _all(folder: str, name: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for file in sorted(os.listdir(folder)):
            stem, _, uid = file.removesuffix(_KIND).rpartition(".")
            if file.endswith(_KIND) and stem == name and uid.isdecimal():
                yield os.path.join(folder, file)


def _is_same(path: str, descriptor: int) -> bool:
    """True if a path still is the file that is open."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False
