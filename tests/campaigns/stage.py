"""A whole virtual board on the virtual clock with its network in memory, and what is left on it and on the host.

Everything is real: the mirror, the link, the agent's Lua, lwIP's windows, the collector; only time is not.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bridge import agent_source
from bridge.board import Board
from bridge.link import Link
from bridge.link.speed import LADDER
from bridge.mirror.table import HandleTable
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start

#: Address of the peers in the network, and of the board.
PEER, BOARD = "10.77.0.1", "10.77.0.2"
#: The three kinds of Lua that NodeMCU is built with, as options of a virtual board.
BUILDS: dict[str, dict[str, Any]] = {
    "5.1 float": {"lua": "5.1"},
    "5.1 integer": {"lua": "5.1", "number": "integer"},
    "5.3": {"lua": "5.3"},
}
#: Seconds for which the stack keeps what it needs of a socket that was closed, and a little more.
LINGER = 12.0


@dataclass(frozen=True)
class Left:
    """What there is at a moment, on the board and on the host.

    Attributes:
        heap: free bytes, as the board's own `node.heap()` says after two full collections.
        references: Lua values that the firmware holds (the slots in use of the chip's registry).
        objects, books: of the agent: objects that the host has handles of, and what is known of sockets.
        host: what the host holds, by the name of what holds it; only what is not empty.
    """

    heap: int
    references: int
    objects: int
    books: int
    host: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        host = ", ".join(f"{count} {what}" for what, count in self.host.items()) or "nothing"
        return (
            f"heap {self.heap}, references {self.references}, agent's objects {self.objects} and books {self.books}, "
            f"on the host {host}"
        )


@dataclass
class Stage:
    """The board, its network, and what went wrong so far."""

    board: Board
    network: MemoryNetwork
    virtual: VirtualBoard
    faults: list[str] = field(default_factory=list)
    errors: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds of the clock."""
        return asyncio.get_running_loop().time()

    @property
    def system(self) -> Any:
        """The running firmware."""
        application: Any = self.virtual.chip.application
        return application.system

    @property
    def table(self) -> HandleTable:
        """The handles of this boot."""
        table = self.board._table
        assert table is not None
        return table

    @property
    def link(self) -> Link:
        """The link of this boot."""
        link = self.board._link
        assert link is not None
        return link

    def unused(self) -> int:
        """Bytes of heap that would be free if everything dead were collected now; takes no time of the board's."""
        system = self.system
        system.account.collecting.tidy()
        system.heap.look()
        return int(system.heap.left + system.heap.unseen)

    def on_the_host(self) -> dict[str, int]:
        """What the host holds of the board's, without what is empty."""
        table, link = self.table, self.link
        counts = {
            "handles": len(table._live),
            "handles kept": len(table._kept),
            "tasks": len(table._tasks),
            "callbacks of the table": len(table._callbacks),
            "receivers": len(link._receivers._receivers),
            "early events": len(link._receivers._early),
            "numbers let go": len(link._receivers._released),
            "callbacks of the link": len(link.callbacks._functions),
            "calls": len(link._calls._pending),
        }
        return {what: count for what, count in counts.items() if count}

    async def left(self, linger: float = LINGER) -> Left:
        """What is there when everything that was closed is gone.

        Args:
            linger: seconds of board time to wait for that.
        """
        gc.collect()
        await asyncio.sleep(linger)
        gc.collect()
        await self.board.eval("1")  # what Python collected is let go by now, and the board has answered since
        await asyncio.sleep(1)
        callbacks = self.link.callbacks
        assert callbacks._ask is not None
        await callbacks._let_go(callbacks._ask)  # as it does by itself now and then
        objects, books = str(await self.link.line.once(_COUNTED, 5.0), "ascii").split()
        heap = await self.board.exec("collectgarbage() collectgarbage() return node.heap()")
        gc.collect()
        return Left(int(heap), self.system.lua.references, int(objects), int(books), self.on_the_host())


Scenario = Callable[[Stage], Awaitable[None]]
_FIELD = b"(function(...)%b end)(a)"
#: Counts the agent's objects and books; run with the agent's table.
_COUNTED = (
    b"local a=... local function count(t) local n=0 for _ in pairs(t or {}) do n=n+1 end return n end "
    b"return count(" + _FIELD % agent_source.member("objects") + b")..' '.."
    b"count(" + _FIELD % agent_source.member("books") + b")"
)


def play(
    scenario: Scenario,
    *,
    faults: bool = False,
    limit: float = 4 * 3600.0,
    speeds: tuple[int, ...] | None = None,
    **options: Any,
) -> None:
    """Play a scenario on a fresh board.

    Args:
        scenario: gets the stage.
        faults: the agent may report faults, and the scenario looks at them itself.
        limit: seconds of the clock it may take.
        speeds: of the line, in baud; as `open_board` has them by default.
        options: of the virtual board.
    """

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            port = VirtualPort(virtual)
            async with open_board(port, start=start, speeds=LADDER if speeds is None else speeds) as board:
                stage = Stage(board, virtual.network, virtual)
                board.on("fault", stage.faults.append)
                board.on("error", lambda *values: stage.errors.append(values))
                await scenario(stage)
                assert board.last_reset is None, board.last_reset
                assert stage.errors == []
                assert faults or stage.faults == []
            await port.close()

    clock.run(main(), limit=limit)
