"""A board, a proxy on it, and a look afterwards whether anything was left behind."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.board import Board
from bridge.opening import open_board
from bridge.proxy import Credentials, Limits, Proxy, Served

#: A board in this process whose line and CPU take no time; its network is this machine's.
QUICK = "virtual:?baud_pacing=0&cpu=0&flash=0&adapter_latency_ms=0&hosts=web.test={host},other.test={host}"
#: Seconds until whatever a test waits for has happened for sure.
PATIENCE = 30.0


@dataclass
class Rig:
    """What a scenario has."""

    board: Board
    proxy: Proxy
    host: str
    """Address of this machine as the board reaches it, where servers listen."""
    served: list[Served] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Where the proxy listens."""
        return self.proxy.address

    async def outcome(self, number: int = 1) -> Served:
        """The request that was over as the so-manieth."""
        await until(lambda: len(self.served) >= number, "a request that is over")
        return self.served[number - 1]


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds that nobody tells of."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while not holds():
        assert loop.time() < deadline, f"there is no {what}"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def rig(
    *,
    limits: Limits | None = None,
    credentials: Credentials | None = None,
) -> AsyncIterator[Rig]:
    """A proxy on a quick board. Afterwards, with the proxy still open, nothing of the clients may be left: no task, no
    handle, no slot, no file descriptor."""
    host = "127.0.0.1"
    async with open_board(QUICK.format(host=host), speeds=()) as board:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        served: list[Served] = []
        async with Proxy(board, tcp_port=0, credentials=credentials, limits=limits, told=served.append) as proxy:
            await board.eval("1")  # what the first call makes is there
            look = Look(board, proxy)
            yield Rig(board, proxy, host, served)
            await look.nothing_left()
        assert complaints == [], complaints


class Look:
    """What there was before a scenario.

    Args:
        board, proxy: looked at.
    """

    def __init__(self, board: Board, proxy: Proxy) -> None:
        self._board, self._proxy = board, proxy
        self._tasks, self._handles, self._files = self._count_tasks(), self._count_handles(), self._count_files()

    async def nothing_left(self) -> None:
        """Wait until there is no more than before; fail with what is left."""
        try:
            await until(lambda: self._left() == {}, "quiet")
        except AssertionError:
            raise AssertionError(f"left behind: {self._left()}") from None

    def _left(self) -> dict[str, object]:
        gc.collect()
        found = {
            "clients": self._proxy.clients,
            "slots": self._board._slots.taken,
            "waiting": self._board._slots.waiting,
            "tasks": self._count_tasks() - self._tasks,
            "handles": self._count_handles() - self._handles,
            "files": self._count_files() - self._files,
        }
        return {name: count for name, count in found.items() if count > 0}

    def _count_tasks(self) -> int:
        return len(asyncio.all_tasks())

    def _count_handles(self) -> int:
        return 0 if self._board._table is None else len(self._board._table)

    def _count_files(self) -> int:
        return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
