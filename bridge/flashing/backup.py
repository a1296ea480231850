"""The whole flash in a file and back. It holds everything that the board knows, Wi-Fi passwords among it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bridge.errors import BridgeError, FlashError, ImageError, UsageError
from bridge.flashing.session import Session
from bridge.image import ImagePart

#: What a person is told of such a file.
WARNING = "It holds everything on the board, also Wi-Fi passwords and keys; only you can read it."
#: Sizes of flash chips, in bytes; a file of another size is no backup.
_SIZES = tuple(1 << shift for shift in range(18, 25))


def prepare_backup(file: Path, images: Sequence[ImagePart] = ()) -> datetime | None:
    """Look, before a board is touched, at the name that a backup is to get. A file that is there is never replaced.

    Args:
        file: the name.
        images: what will be written; a backup that would be one of them is refused.

    Returns:
        When the backup was made that is there and will be kept, in local time; None if a new one can be written.

    Raises:
        UsageError: the name is that of another file, or nothing can be written there.
    """
    if not file.name:
        raise UsageError(f"{str(file)!r} is no name of a file for a backup", remedy="Give one, such as before.bin.")
    try:
        try:
            os.lstat(file)
        except FileNotFoundError:
            with tempfile.TemporaryFile(dir=file.parent):
                return None
        facts = file.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size not in _SIZES or _is_one_of(file, images):
            raise UsageError(
                f"{file} is there and is no backup of a flash; it stays as it is",
                remedy="Give the backup another name.",
            )
    except OSError as error:
        raise _unwritable(file, error) from error
    return datetime.fromtimestamp(facts.st_mtime)


def _is_one_of(file: Path, images: Sequence[ImagePart]) -> bool:
    data = file.read_bytes()
    return any(data == image.data for image in images)


async def save_flash(session: Session, file: Path) -> None:
    """Read the whole flash into a file that its owner alone can read (mode 0600), and check it by its hash.

    The file appears when it is whole; none is replaced.

    Args:
        session: connected.
        file: where.

    Raises:
        UsageError: the file cannot be written, is there, or would not fit the disk.
        FlashError: the size of the flash is not known, or what was read is not what is there.
    """
    size = session.flash_size
    if not size:
        raise FlashError("esptool does not know the size of this flash, so it cannot be saved", port=session.url)
    try:
        free = shutil.disk_usage(file.parent).free
        if free < size:
            raise UsageError(
                f"{file} needs {size} bytes, and {free} are free there; nothing has been written",
                remedy="Make room, or give another folder.",
            )
        # mkstemp makes it 0600 whatever the umask says.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
        os.close(handle)
        fresh = Path(name)
        try:
            await session.read(0, size, fresh)
            if await session.md5(0, size) != _md5(fresh):
                raise FlashError(
                    "What was read of the flash is not what is there", port=session.url, remedy="Try again."
                )
            _name(fresh, file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)
    except BridgeError:
        raise
    except OSError as error:
        raise _unwritable(file, error) from error


def check_kept(session: Session, file: Path) -> None:
    """Make sure that the backup that is kept can be of this board.

    Raises:
        UsageError: its size is not that of the board's flash.
    """
    size = file.stat().st_size
    if session.flash_size not in (0, size):
        raise UsageError(
            f"{file} is of a flash of {size} bytes, this board's has {session.flash_size}; nothing has been written",
            remedy="Give the backup of this board another name.",
        )


def _name(fresh: Path, file: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        os.link(fresh, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(file):
            raise
        os.rename(fresh, file)


def _unwritable(file: Path, error: OSError) -> UsageError:
    return UsageError(
        f"The backup {file} cannot be written ({error.strerror or error}); nothing has been written to the board",
        remedy="Check the file's name, its folder, and the free space.",
    )


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def load_backup(file: Path) -> bytes:
    """Read a backup.

    Raises:
        ImageError: it cannot be read, or is none.
    """
    try:
        facts = file.stat()
        # A pipe would be waited for, and its bytes are gone when esptool reads them once more.
        if not stat.S_ISREG(facts.st_mode):
            kind = "a folder" if stat.S_ISDIR(facts.st_mode) else "no plain file"
            raise ImageError(f"{file} is {kind}", remedy="Use a file that `flash --backup` wrote.")
        data = file.read_bytes() if facts.st_size in _SIZES else None
    except OSError as error:
        raise ImageError(f"{file} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    if data is None:
        raise ImageError(
            f"{file.name} is no backup of a flash: it has {facts.st_size} bytes, and no flash chip has",
            remedy="Use a file that `flash --backup` wrote; an image is written by `flash`.",
        )
    return data


async def restore_flash(session: Session, file: Path, data: bytes) -> bool:
    """Write a whole flash back, unless it is there.

    Args:
        session: connected.
        file: the backup; esptool reads it itself, so that no second copy of its secrets lies about.
        data: from `load_backup`.

    Returns:
        False if the flash was so already.

    Raises:
        ImageError: the board's flash has another size, or the file cannot be read any more.
        FlashError: writing failed.
    """
    if session.flash_size and session.flash_size != len(data):
        raise ImageError(
            f"{file.name} is of a flash of {len(data)} bytes, this board's has {session.flash_size}; nothing has been "
            "written",
            remedy="Restore it to the board it came from.",
        )
    if await session.md5(0, len(data)) == hashlib.md5(data, usedforsecurity=False).hexdigest():
        return False
    try:
        await session.write([(0, file)])
    except BridgeError:
        raise
    except OSError as error:
        raise ImageError(f"{file} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    return True
