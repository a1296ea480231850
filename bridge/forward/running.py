"""What forwards that run have in common."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from bridge.board import Board
from bridge.errors import BridgeError, LuaError, PortBusy, PortError
from bridge.forward.specification import EVERYWHERE, Forward, Side, place
from bridge.lifecycle import State
from bridge.streams.relay import LINGER, Stream, relay

log = logging.getLogger("bridge.forward")

#: Told in a sentence what a user may want to know: a connection that did not come about, a restart of the board.
Told = Callable[[str], None]
#: Seconds after which the same trouble is told again: datagrams may come by the thousand.
SELDOM = 60.0
#: Seconds between tries to listen again on a board that has restarted: it may not have its address yet.
AGAIN_AFTER = 2.0


class Running:
    """A forward that runs; made by `open_forwards`.

    Args:
        board: open.
        forward: what is wanted.
        told: see `Told`.

    Attributes:
        forward: what was wanted.
        address: (address, port) where it listens, as chosen.
        failed: done, with the error, when it cannot go on.
    """

    address: tuple[str, int]

    def __init__(self, board: Board, forward: Forward, told: Told) -> None:
        self.board, self.forward, self.told = board, forward, told
        self.address = (forward.address, forward.port)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told_at: dict[str, float] = {}

    @property
    def line(self) -> str:
        """What listens where and leads whither: "127.0.0.1:34567 → board → example.com:80"."""
        here, there = place(*self.address), place(self.forward.host, self.forward.host_port)
        kind = "udp " if self.forward.udp else ""
        if self.forward.side is Side.HERE:
            return f"{kind}{here} → board → {there}"
        return f"{kind}board {here} → this computer → {there}"

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._tasks)

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            PortBusy, PortError: it cannot be listened there.
            BridgeError: the board does not answer.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.failed.cancel()

    async def carry(self, local: Stream, board: Stream, *, linger: float = LINGER) -> None:
        """Relay until the connections have ended, in whatever way: both ends know."""
        try:
            done = await relay(local, board, linger=linger)
        except OSError as error:
            log.debug("%s: %s", self.line, error)
        else:
            log.debug("%s: %d bytes to the board, %d from it", self.line, done.to_board, done.from_board)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside, until it ends or this is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell_seldom(self, what: str, sentence: str) -> None:
        """Tell something that may happen again and again, once a minute.

        Args:
            what: what is told once.
            sentence: how it is said.
        """
        now = asyncio.get_running_loop().time()
        self._told_at = {told: at for told, at in self._told_at.items() if now < at + SELDOM}
        if what not in self._told_at:
            self._told_at[what] = now
            self.told(sentence)

    def fail(self, error: BaseException) -> None:
        """This cannot go on."""
        if not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()  # told to whoever asks

    async def listen_again(self, listen: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Listen on the board again, which has restarted, as soon as it lets us.

        Args:
            listen: does it.

        Returns:
            False if the board is lost for good.
        """
        said = False
        while True:
            try:
                await listen()
            except (BridgeError, OSError) as error:
                if self.board.state not in (State.READY, State.RESTARTING):
                    self.fail(error)
                    return False
                if not said:
                    said = True
                    self.told(f"{error} It is tried again.")
                await asyncio.sleep(AGAIN_AFTER)
            else:
                self.told(f"{self.line}: listens again")
                return True


async def shown_address(board: Board, address: str, port: int) -> tuple[str, int]:
    """Where the board can be reached that listens somewhere: everywhere is its own address, as far as it has one."""
    if address == EVERYWHERE and "wifi" in board.facts.modules:
        with contextlib.suppress(LuaError):
            found = await board.wifi.sta.getip()
            address = address if found is None else found[0]
    return address, port


def not_here(error: OSError, where: tuple[str, int], kind: str) -> PortError:
    """The error for a place of this computer that cannot be listened on.

    Args:
        error: of the system.
        where: address and port.
        kind: "TCP" or "UDP".
    """
    what = f"{kind} port {place(*where)} of this computer"
    if error.errno == errno.EADDRINUSE:
        return PortBusy(f"{what} is taken", remedy="Choose another, or 0 for a free one.")
    if error.errno == errno.EACCES:
        return PortError(f"{what} is for root alone", remedy="Choose one from 1024 on, or 0 for a free one.")
    return PortError(f"{what} cannot be listened on: {error.strerror or error}")


def not_on_board(error: BridgeError, board: Board, where: tuple[str, int], kind: str) -> BridgeError:
    """The error for a place of the board that cannot be listened on; others are passed on as they are.

    Args:
        error: why not.
        board: the board.
        where: address and port.
        kind: "TCP" or "UDP".
    """
    cause = error if isinstance(error, LuaError) else error.__cause__
    if not isinstance(cause, LuaError):
        return error
    what = f"{kind} port {'' if where[0] == EVERYWHERE else f'{where[0]}:'}{where[1]} of the board"
    # net.c: of a port that another server of `net` listens on lwIP says "out of memory".
    if "in use" in cause.text or "out of memory" in cause.text:
        return PortBusy(f"{what} is taken", port=board.url, remedy="Choose another, or 0 for a free one.")
    return PortError(f"{what} cannot be listened on: {cause.text}", port=board.url)
