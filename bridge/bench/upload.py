"""A file to the board's file system, through the agent."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque

from bridge.board import Board
from bridge.errors import AgentError, LinkError

#: Name of the file on the board; removed at the end.
FILE = "nb_bench.bin"
#: Bytes of one write, and writes under way at once: one crosses the line while the board writes another.
_PIECE, _AT_ONCE = 1536, 4
#: Bytes of one read, to compare.
_READ = 1024


async def measure_upload(board: Board, data: bytes) -> float:
    """Write a file and compare it; seconds from the opening of the file to its closing.

    Raises:
        LinkError: the file is not what was written.
        AgentError: the board's file system does not take it.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    file = await board.lua.file.open(FILE, "w")
    if file is None:
        raise AgentError("The board's file system opens no file", port=board.url, remedy="Format it.")
    flying: deque[asyncio.Task[object]] = deque()
    try:
        for at in range(0, len(data), _PIECE):
            if len(flying) == _AT_ONCE:
                _check(board, await flying.popleft())
            flying.append(asyncio.ensure_future(file.write(data[at : at + _PIECE], timeout=None)))
        while flying:
            _check(board, await flying.popleft())
        await file.close()
        seconds = loop.time() - began
        if not await has_file(board, FILE, data):
            raise LinkError("The file on the board is not what was written", port=board.url)
        return seconds
    finally:
        for task in flying:
            task.cancel()
        await board.lua.file.remove(FILE)


def _check(board: Board, written: object) -> None:
    if written is not True:
        raise AgentError("The board's file system is full", port=board.url, remedy="Remove files from it.")


async def has_file(board: Board, name: str, data: bytes) -> bool:
    """True if a file of the board holds that; by its hash if the firmware has `crypto`, else it is read back."""
    if not await board.lua.file.exists(name):
        return False
    if "crypto" in board.facts.modules:
        return bool(await board.lua.crypto.fhash("sha256", name, timeout=60.0) == hashlib.sha256(data).digest())
    file = await board.lua.file.open(name, "r")
    parts = []
    while isinstance(part := await file.read(_READ), bytes):
        parts.append(part)
    await file.close()
    return b"".join(parts) == data
