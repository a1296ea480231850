"""The whole flash in a file and back. It holds everything that the board knows, Wi-Fi passwords among it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from bridge.errors import FlashError, ImageError, UsageError
from bridge.flashing.session import Session

#: What a person is told of such a file.
WARNING = "It holds everything on the board, also Wi-Fi passwords and keys; only you can read it."
#: Sizes of flash chips, in bytes; a file of another size is no backup.
_SIZES = tuple(1 << shift for shift in range(18, 25))


async def save_flash(session: Session, file: Path) -> None:
    """Read the whole flash into a file that its owner alone can read (mode 0600), and check it by its hash.

    The file appears when it is whole; one that is there is replaced.

    Args:
        session: connected.
        file: where.

    Raises:
        UsageError: the file cannot be written.
        FlashError: the size of the flash is not known, or what was read is not what is there.
    """
    if not session.flash_size:
        raise FlashError("esptool does not know the size of this flash, so it cannot be saved", port=session.url)
    try:
        # mkstemp makes it 0600 whatever the umask says.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror})", remedy="Check the file's name.") from error
    os.close(handle)
    fresh = Path(name)
    try:
        await session.read(0, session.flash_size, fresh)
        if await session.md5(0, session.flash_size) != _md5(fresh):
            raise FlashError("What was read of the flash is not what is there", port=session.url, remedy="Try again.")
        os.replace(fresh, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def load_backup(file: Path) -> bytes:
    """Read a backup.

    Raises:
        ImageError: it cannot be read, or is none.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ImageError(f"{file} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    if len(data) not in _SIZES:
        raise ImageError(
            f"{file.name} is no backup of a flash: it has {len(data)} bytes, and no flash chip has",
            remedy="Use a file that `flash --backup` wrote; an image is written by `flash`.",
        )
    return data


async def restore_flash(session: Session, data: bytes, name: str = "the backup") -> bool:
    """Write a whole flash back, unless it is there.

    Args:
        session: connected.
        data: from `load_backup`.
        name: of the file, for messages.

    Returns:
        False if the flash was so already.

    Raises:
        ImageError: the board's flash has another size.
        FlashError: writing failed.
    """
    if session.flash_size and session.flash_size != len(data):
        raise ImageError(
            f"{name} is of a flash of {len(data)} bytes, this board's has {session.flash_size}",
            remedy="Restore it to the board it came from.",
        )
    if await session.md5(0, len(data)) == hashlib.md5(data, usedforsecurity=False).hexdigest():
        return False
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:  # made with mode 0700
        path = Path(folder) / "flash.bin"
        path.touch(0o600)
        path.write_bytes(data)
        await session.write([(0, path)])
    return True
