"""A virtual board over RFC 2217, forwards through it, and a look at what is left behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge.board import Board
from bridge.forward import Forward, Forwards, open_forwards
from bridge.opening import open_board
from tests.board_process import announced, board_process

log = logging.getLogger("bridge.forward")

#: Each board has a network of its own on loopback: this computer is .1, the board .2.
_networks = (f"127.{40 + os.getpid() % 20}.{number}" for number in itertools.count(1))
#: Seconds until something must have happened.
PATIENCE = 60.0


@dataclass
class Rig:
    """A board's process."""

    url: str
    network: str
    signal: Callable[[int], None]
    """Send a signal to its process."""

    @property
    def host(self) -> str:
        """This computer, as the board reaches it."""
        return f"{self.network}.1"

    def press_reset(self) -> None:
        """Press the board's reset button."""
        self.signal(signal.SIGUSR1)

    def unplug(self) -> None:
        """Take the board's cable out for a second."""
        self.signal(signal.SIGUSR2)


@contextmanager
def rig(*options: str) -> Iterator[Rig]:
    """Run a virtual board; without options one whose line and CPU take no time."""
    network = next(_networks)
    speed = options or ("--no-baud-pacing", "--cpu", "0", "--adapter-latency-ms", "0")
    names = f"here.test={network}.1"
    with board_process("--rfc2217", "127.0.0.1:0", "--address", f"{network}.2", "--hosts", names, *speed) as process:
        _, url = announced(process)
        yield Rig(url, network, process.send_signal)


@dataclass
class Open:
    """Forwards that run."""

    board: Board
    forwards: Forwards
    told: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, sentence: str) -> None:
        log.info("%s", sentence)
        self.told.append(sentence)
        self.changed.set()

    async def heard(self, word: str) -> str:
        """Wait until a sentence with a word in it was told."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for sentence in self.told:
                    if word in sentence:
                        return sentence
                self.changed.clear()
                await self.changed.wait()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(board: Board, *forwards: Forward, **options: Any) -> AsyncIterator[Open]:
    """Open forwards, and see that nothing of them is left when they are closed: see `nothing_left`."""
    told = Open(board, None)  # type: ignore[arg-type]
    async with nothing_left(board), open_forwards(board, forwards, told=told.tell, **options) as running:
        told.forwards = running
        yield told


@asynccontextmanager
async def on(rig: Rig, seconds: float = 2 * PATIENCE) -> AsyncIterator[Board]:
    """Open the board, for so many seconds at most."""
    async with asyncio.timeout(seconds), open_board(rig.url) as board:
        yield board


@asynccontextmanager
async def nothing_left(board: Board) -> AsyncIterator[None]:
    """See that no task, thread, file descriptor, handle or slot is there at the end that was not at the beginning."""
    tasks, threads, files = asyncio.all_tasks(), _threads(), descriptors()
    handles = _handles(board)
    yield
    deadline = asyncio.get_running_loop().time() + PATIENCE / 4
    while left := _left(board, tasks, threads, files, handles):
        assert asyncio.get_running_loop().time() < deadline, left
        await asyncio.sleep(0.01)


def descriptors() -> set[str]:
    """The file descriptors of this process, with what they are."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:
            pass  # that of the listing
    return {each for each in found if "/proc/" not in each}


def _threads() -> set[str]:
    # The loop keeps threads for names that it looks up.
    return {each.name for each in threading.enumerate() if not each.name.startswith("asyncio_")}


def _handles(board: Board) -> int:
    return 0 if board._table is None else len(board._table)


def _left(board: Board, tasks: set[asyncio.Task[Any]], threads: set[str], files: set[str], handles: int) -> list[str]:
    gc.collect()
    left = [f"task {task!r}" for task in asyncio.all_tasks() - tasks]
    left += [f"file {each}" for each in descriptors() - files]
    left += [f"thread {each}" for each in _threads() - threads]
    left += [f"{_handles(board)} handles after {handles}"] if _handles(board) > handles else []
    left += [f"{board._slots.taken} slots taken, {board._slots.waiting} asked for"] if board._slots.taken else []
    return left
