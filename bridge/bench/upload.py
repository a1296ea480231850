"""A file to the board's file system, by what `nodemcu-bridge fs put` uses."""

from __future__ import annotations

from bridge.board import Board
from bridge.files import Written

#: Name of the file on the board; removed at the end.
FILE = "nb_bench.bin"


async def measure_upload(board: Board, data: bytes) -> Written:
    """Send a file, which compares it, and remove it.

    Raises:
        FileError: the board's file system does not take it, or has something else than what was written.
    """
    written = await board.files.put(FILE, data)
    await board.files.rm(FILE)
    return written
