"""Locks of ports: two programs on one port are told apart, and the second one is told who the first one is.

A lock is a file by the port's resolved name, in one folder for all users of this computer, locked by the system as long
as its process lives: it needs no cleaning up after a process that was killed. Each user locks a file of his own and
looks at those of others, because a file of another user in a folder for everybody may be no writable one. Beside it
stands who holds it.

A process locks a port once, however often it opens it: what it opens at the same time is between itself and the port.
The programs that it starts to use the port in its place (esptool, nodemcu-uploader) know nothing of locks.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from filelock import FileLock, Timeout

from bridge.errors import PortBusy
from bridge.ports.file_lock import is_locked
from bridge.ports.process import lives

#: Seconds to try: another user's look at a lock may hold it for an instant.
_TRY_S = 0.1
_LOCAL_NAMES = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
_SHOWN = 60


def lock_folder() -> Path:
    """The folder of locks, the same for all users."""
    # Not TMPDIR, which differs from user to user.
    base = Path(tempfile.gettempdir()) if sys.platform == "win32" else Path("/tmp")
    return base / "nodemcu-bridge-locks"


@dataclass(frozen=True)
class Holder:
    """Who holds a port."""

    pid: int
    command: str
    """Program and command, without arguments: those may be secret."""
    since: float
    """Seconds since the epoch."""

    def __str__(self) -> str:
        begun = time.localtime(self.since)
        same_day = time.strftime("%Y-%m-%d", begun) == time.strftime("%Y-%m-%d")
        return (
            f"PID {self.pid} ({self.command}) since {time.strftime('%H:%M' if same_day else '%Y-%m-%d %H:%M', begun)}"
        )


class PortLock:
    """A port that this process has locked; made by `take_port`."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def release(self) -> None:
        """Give it back. Doing it again does nothing."""
        key, self._key = self._key, None
        if key is not None:
            held = _HELD[key]
            held.count -= 1
            if not held.count:
                del _HELD[key]
                held.file.release()


@dataclass
class _Held:
    file: FileLock
    count: int


#: Ports that this process has locked.
_HELD: dict[str, _Held] = {}


def take_port(url: str, folder: Path | None = None) -> PortLock:
    """Lock a port for this process. What cannot be locked (a board in this process, no such device) is not.

    Args:
        url: as for `bridge.ports.open.open_port`.
        folder: of the locks, for tests.

    Raises:
        PortBusy: another process has it; says which, and since when.
    """
    key = lock_key(url)
    folder = folder or lock_folder()
    if key is None or not _prepare(folder):
        return PortLock(None)
    if key in _HELD:
        _HELD[key].count += 1
        return PortLock(key)
    name = lock_name(key)
    base = folder / f"{name}.{_user()}"
    file = FileLock(_file(base, "lock"), mode=0o644, thread_local=False)
    try:
        file.acquire(timeout=_TRY_S, poll_interval=_TRY_S / 10)
    except (Timeout, OSError) as error:
        if isinstance(error, Timeout) and _file(base, "lock").exists():
            raise _busy(url, base) from None
        # A folder that is full or read-only keeps nobody from his board.
        return PortLock(None)
    for other in folder.glob(f"{name}.*.lock"):
        if other != _file(base, "lock") and is_locked(str(other)):
            file.release()
            raise _busy(url, other.with_name(other.name.removesuffix(".lock")))
    _write_holder(base)
    _HELD[key] = _Held(file, 1)
    return PortLock(key)


@contextlib.contextmanager
def hold_port(url: str) -> Iterator[None]:
    """Hold a port's lock while other programs use the port in place of this one; see `take_port`."""
    lock = take_port(url)
    try:
        yield
    finally:
        lock.release()


def lock_key(url: str) -> str | None:
    """What a port is called among locks: the same by all its names; None for what is not locked."""
    scheme, colon, _ = url.partition(":")
    if colon and scheme.lower() in ("rfc2217", "socket"):
        try:
            parts = urlsplit(url)
            host, tcp_port = parts.hostname or "", parts.port
        except ValueError:
            return None
        return f"tcp {_LOCAL_NAMES.get(host, host)} {tcp_port}"
    if "://" in url or scheme.lower() == "virtual" or "\0" in url:
        return None
    if sys.platform == "win32":
        return url.upper()
    try:
        path = os.path.realpath(url)
        return path if stat.S_ISCHR(os.stat(path).st_mode) else None
    except OSError:
        return None


def lock_name(key: str) -> str:
    """How the files of a lock are called, before their users and endings."""
    return quote(key, safe="")[-150:]


def _file(base: Path, kind: str) -> Path:
    return base.with_name(f"{base.name}.{kind}")


def _user() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _prepare(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.mkdir()
        # Everybody may add a file, nobody may remove another's; what mkdir is told is cut by the umask.
        folder.chmod(0o1777)
    try:
        return stat.S_ISDIR(folder.lstat().st_mode)
    except OSError:
        return False


def _write_holder(base: Path) -> None:
    holder = {"pid": os.getpid(), "command": own_command(sys.argv), "since": round(time.time(), 3)}
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile("w", dir=base.parent, delete=False) as file:
        json.dump(holder, file)
        file.close()
        os.chmod(file.name, 0o644)
        os.replace(file.name, _file(base, "holder"))


def _read_holder(base: Path) -> Holder | None:
    """Who holds it, or None: it was not written yet, or is what a process left that is gone."""
    try:
        found = json.loads(_file(base, "holder").read_text(encoding="utf-8"))
        holder = Holder(int(found["pid"]), _plain(str(found["command"])), float(found["since"]))
        time.localtime(holder.since)
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return holder if lives(holder.pid) else None


def _busy(url: str, base: Path) -> PortBusy:
    holder = _read_holder(base)
    return PortBusy(
        f"{url} is in use by {holder}" if holder else f"{url} is in use by another nodemcu-bridge",
        port=url,
        remedy="Wait for it or stop it.",
    )


def own_command(arguments: list[str]) -> str:
    """What a process calls itself: the program, and of this one the command; never an argument, which may be secret."""
    program, *rest = arguments or ["python"]
    if program in ("-c", "-m", "-"):  # how Python calls a program that is no file, as workers of pytest-xdist
        return "python"
    path = Path(program)
    if path.stem == "nodemcu-bridge" or path.parts[-3:] == ("bridge", "cli", "__main__.py"):
        command = rest[0] if rest and re.fullmatch(r"[a-z][a-z-]{1,20}", rest[0]) else ""
        return f"nodemcu-bridge {command}".strip()
    return _plain(path.name or "python")


def _plain(text: str) -> str:
    """Without what could play with a terminal: another user may have written it."""
    return "".join(c if c.isprintable() else "?" for c in text)[:_SHOWN]
