"""Files of a board, kept over a flash that moves its file system: saved on the host before, put back after."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from bridge.board import Board
from bridge.errors import FlashError, LuaError, UsageError
from bridge.flashing.table import after_first_boot, file_system, read_table, records_of
from bridge.image import ImagePart
from bridge.opening import open_board

#: Told of each file: its name, and how many of how many.
Told = Callable[[str, int, int], None]


async def files_survive(url: str, parts: list[ImagePart]) -> bool:
    """True if an image has its file system where the board's is now, by what the board's firmware says.

    Raises:
        BridgeError: no NodeMCU with the module `file` answers.
    """
    async with open_board(url) as board:
        try:
            # Not file.fscfg(): that is what the file system uses of its partition.
            now = await board.node.getpartitiontable()
        except LuaError:
            return False  # a firmware before 3.x
        size = await board.node.flashsize()
    after = file_system(after_first_boot(read_table(records_of(parts)), size))
    return after is not None and (after.at, after.size) == (now["spiffs_addr"], now["spiffs_size"])


async def save_files(url: str, folder: Path, told: Told | None = None) -> list[str]:
    """Read all files of a board into a folder that its owner alone can read (0700, files 0600).

    Args:
        url: port of the board.
        folder: made if it is not there; must be empty.
        told: of each file.

    Returns:
        Their names on the board; in the folder a name that no file can have is percent-encoded.

    Raises:
        UsageError: the folder cannot be used.
        BridgeError: no NodeMCU with the module `file` answers, or a file could not be read.
    """
    _prepare(folder)
    async with open_board(url) as board:
        sizes = await board.file.list()
        for number, (name, size) in enumerate(sorted(sizes.items()), 1):
            if told is not None:
                told(name, number, len(sizes))
            data = await board.file.getcontents(name) or b""
            if len(data) != size:
                raise FlashError(f"{name} could not be read whole: {len(data)} of {size} bytes", port=url)
            _write(folder / quote(name, safe=" ~+,"), data)
    return sorted(sizes)


async def put_files(url: str, folder: Path, told: Told | None = None) -> list[str]:
    """Put saved files back on a board, each under a temporary name first.

    Returns:
        Names of those that had to be written; the others were there.

    Raises:
        BridgeError: the board does not answer, or its file system is full.
    """
    files = _read(folder)
    async with open_board(url) as board:
        return await put_contents(board, files, told)


async def put_contents(board: Board, files: Mapping[str, bytes], told: Told | None = None) -> list[str]:
    """Write files that are not on a board, or are other ones there. See `put_files`."""
    written = []
    for number, (name, data) in enumerate(files.items(), 1):
        if told is not None:
            told(name, number, len(files))
        if (await board.file.getcontents(name) or b"") == data and await board.file.exists(name):
            continue
        temporary = f"~{name}"[:31]
        if not await board.file.putcontents(temporary, data):
            raise FlashError(
                f"{name} does not fit the board's file system", port=board.url, remedy="Remove files, and run it again."
            )
        await board.file.remove(name)
        await board.file.rename(temporary, name)
        written.append(name)
    return written


def new_folder() -> Path:
    """A new folder of the user's for saved files, in the state folder."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    root = Path(state) / "nodemcu-bridge" / "files"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Path(tempfile.mkdtemp(dir=root))


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", remedy="Give another folder.")
    except OSError as error:
        raise UsageError(f"{folder} cannot be used ({error.strerror})", remedy="Give another folder.") from error


def _read(folder: Path) -> dict[str, bytes]:
    return {unquote(path.name): path.read_bytes() for path in sorted(folder.iterdir())}


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
