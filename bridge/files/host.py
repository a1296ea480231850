"""Files of this computer: read whole, written to a temporary name and renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from bridge.errors import UsageError


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


def write_file(path: Path, data: bytes) -> None:
    """Make a file, or replace it by a whole one: whoever looks finds the old one or the new one.

    Raises:
        UsageError: that cannot be; says why. What was there is left as it was.
    """
    try:
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
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise UsageError(
            f"{path} cannot be written ({_why(error)})", remedy="Check its folder, its rights and the disk."
        ) from error


def check_writable(path: Path) -> None:
    """Refuse, before anything is fetched, a place where no file can be made.

    Raises:
        UsageError: it is a folder, or its folder is missing or may not be written to.
    """
    folder = path.parent
    if path.is_dir():
        raise UsageError(f"{path} is a folder", remedy="Give a file's name.")
    if not folder.is_dir():
        raise UsageError(f"{path} cannot be written (there is no folder {folder})", remedy="Make the folder first.")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{path} cannot be written (no right to write to {folder})", remedy="Choose another folder.")


def _why(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
