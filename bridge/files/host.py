"""Files of this computer: read whole, written to a temporary name and renamed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from bridge.errors import UsageError

#: Of a stream that is opened: it becomes nobody's terminal, and neither opening nor writing waits. Windows has neither.
_AT_ONCE = getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
#: Seconds between looks whether a pipe has a reader.
_LOOK_SECONDS = 0.05


def read_file(path: Path) -> bytes:
    """All of a file.

    Raises:
        UsageError: it is a folder, no plain file, or cannot be read; says why.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{path} is a folder", remedy="Give a file, or send what is in it with `fs sync`.")
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path} is no plain file", remedy="Give a file.")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({_why(error)})", remedy="Check its name and its rights.") from error


async def deliver(path: Path, data: bytes) -> None:
    """`write_file` from a coroutine: while a pipe has no reader, or takes no more, all else goes on; may be cancelled.

    Raises:
        UsageError: as `write_file`, and when the reader of a pipe goes away.
    """
    with _explained(path):
        if not _is_stream(path):
            write_file(path, data)
            return
        handle = await _opened(path)
        try:
            left = memoryview(data)
            while left:
                try:
                    left = left[os.write(handle, left) :]
                except BlockingIOError:
                    await _writable(handle)
        finally:
            os.close(handle)


async def _opened(path: Path) -> int:
    while (handle := _open_at_once(path)) is None:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)  # nothing tells that a reader comes
    return handle


def _open_at_once(path: Path) -> int | None:
    """A stream for writing, which never waits then; None for a pipe that has no reader."""
    try:
        return os.open(path, os.O_WRONLY | _AT_ONCE)
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(path.stat().st_mode):
            return None
        raise


async def _writable(handle: int) -> None:
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_writer(handle, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_writer(handle)


def write_file(path: Path, data: bytes) -> None:
    """Make a file, or replace it by a whole one: whoever looks finds the old one or the new one.

    Into a pipe or a character device it is written as it is, as soon as somebody reads there.

    Raises:
        UsageError: that cannot be; says why. What was there is left as it was.
    """
    with _explained(path):
        if _is_stream(path):
            with open(os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0)), "wb") as file:
                file.write(data)
            return
        # What a link points to is replaced, and not the link.
        target = path.resolve()
        if target.is_dir():
            raise UsageError(f"{path} is a folder", remedy="Give a file's name.")
        temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.part")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def check_writable(path: str | Path) -> None:
    """Refuse, before anything is fetched, a place where no file can be made.

    Args:
        path: of the file; one that ends with a slash is a folder, whether there is one or not.

    Raises:
        UsageError: it is a folder, or its folder is missing or may not be written to, or what is there takes no bytes.
    """
    is_folder, path = asks_for_folder(path), Path(path)
    folder = path.parent
    # Not those of pathlib, which raise where a name is too long, or a folder on the way may not be looked into.
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder", remedy="Give a file's name.")
    if is_folder:
        raise UsageError(f"There is no folder {path}", remedy="Make it first, or leave the slash out.")
    with _explained(path):
        if _is_stream(path):
            if not os.access(path, os.W_OK):
                raise UsageError(f"{path} cannot be written (no right to)", remedy="Choose another place.")
            return
    if not os.path.isdir(folder):
        raise UsageError(f"{path} cannot be written (there is no folder {folder})", remedy="Make the folder first.")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{path} cannot be written (no right to write to {folder})", remedy="Choose another folder.")


def asks_for_folder(path: str | Path) -> bool:
    """True of a text that can only be a folder's name: "logs/"."""
    return isinstance(path, str) and path.endswith(("/", os.sep, "/."))


def _is_stream(path: Path) -> bool:
    """A pipe or a character device: replacing it would take it from all who use it.

    Raises:
        UsageError: it is something else that is no file, such as a disk.
        OSError, ValueError: it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise UsageError(f"{path} is no plain file", remedy="Give a file.")
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise UsageError(
            f"{path} cannot be written ({_why(error)})", remedy="Check its folder, its rights and the disk."
        ) from error


def _why(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
