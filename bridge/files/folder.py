"""A folder of this computer as the board should have it, and what is to be done for that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.errors import FileSystemFull, UsageError
from bridge.files.host import read_file
from bridge.files.names import check_name, shown
from bridge.files.space import Space, pages_of


@dataclass(frozen=True)
class Folder:
    """A folder's files by the names that they have on the board.

    Args:
        path: the folder.
        files: name on the board → contents.
        left_out: what is left out, sorted.
    """

    path: Path
    files: dict[str, bytes]
    left_out: tuple[str, ...]


def read_folder(path: Path) -> Folder:
    """Read a folder. What is in folders within has names such as "www/index.html".

    What begins with a dot is left out, and links to other folders are.

    Raises:
        UsageError: it is no folder, something in it cannot be read, or the board can have no file of such a name.
    """
    if not os.path.isdir(path):
        try:
            path.stat()
            what = "is no folder"
        except FileNotFoundError:
            what = "is not there"
        except (OSError, ValueError) as error:
            what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise UsageError(f"{path} {what}", remedy="Give the folder whose files the board is to have.")

    def failed(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror})", remedy="Check its rights.") from error

    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for folder, within, names in os.walk(path, onerror=failed):
        place = Path(folder).relative_to(path)
        links = [name for name in within if (Path(folder) / name).is_symlink()]
        left_out += [(place / name).as_posix() for name in (*within, *names) if name.startswith(".") or name in links]
        within[:] = sorted(name for name in within if not name.startswith(".") and name not in links)
        for name in sorted(names):
            if not name.startswith("."):
                on_board = (place / name).as_posix()
                check_name(on_board)
                files[on_board] = read_file(Path(folder) / name)
    return Folder(path, files, tuple(sorted(left_out)))


@dataclass
class Plan:
    """What makes a board's files those of a folder; names are sorted.

    Args:
        send: files that the board lacks, or has with other contents.
        same: files that it has already.
        remove: files that the folder lacks, if those are to go.
        others: files that the folder lacks, if they are to stay.
        left_out: see `Folder`.
    """

    send: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def check_room(plan: Plan, files: Mapping[str, bytes], there: Mapping[str, int], space: Space, port: str) -> None:
    """Refuse, before the board is touched, a plan for which its file system has no room at some step.

    Args:
        plan: what is to be done; removals come first.
        files: what is sent, by name.
        there: sizes of the board's files in bytes.
        space: the room that there is now.
        port: for the message.

    Raises:
        FileSystemFull: names the file that would not fit any more.
    """
    free = space.pages + sum(pages_of(there[name]) for name in plan.remove)
    for name in plan.send:
        size = len(files[name])
        if pages_of(size) > free:
            alone = len(plan.send) == 1 and not plan.remove
            has = f"the board's file system has room for {space.largest}"
            raise FileSystemFull(
                f"{shown(name)} has {size} bytes, and {has}"
                if alone
                else f"The board's file system has no room for {shown(name)} ({size} bytes) beside the other files",
                port=port,
                remedy="Nothing was changed. Remove files with `fs rm`; an old one of this name counts until the new "
                "one is there.",
            )
        # The old one goes when the new one is there.
        free += (pages_of(there[name]) if name in there else 0) - pages_of(size)
