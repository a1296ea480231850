"""Opens forwards, all or none, and closes them together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, overload

from bridge.board import Board
from bridge.forward.board_tcp import BoardTcp
from bridge.forward.board_udp import BoardUdp
from bridge.forward.here_tcp import HereTcp
from bridge.forward.here_udp import HereUdp
from bridge.forward.running import Running, Told
from bridge.forward.specification import Forward, Side
from bridge.lifecycle import State
from bridge.lost import lost_for_good
from bridge.streams.connecting import SLOT_TIMEOUT
from bridge.streams.names import Names

log = logging.getLogger("bridge.forward")

#: Seconds of silence after which the client of a UDP forward is forgotten.
UDP_IDLE = 60.0


class Forwards(Sequence[Running]):
    """Forwards that run, in the order in which they were asked for."""

    def __init__(self, board: Board, running: Sequence[Running]) -> None:
        self._board, self._running = board, running

    @overload
    def __getitem__(self, index: int) -> Running: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Running]: ...
    def __getitem__(self, index: int | slice) -> Running | Sequence[Running]:
        return self._running[index]

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Running]:
        return iter(self._running)

    async def serve_forever(self) -> None:
        """Wait until this is cancelled.

        Raises:
            BridgeError: the board was lost for good, and with it what it listened on.
        """
        lost = asyncio.ensure_future(lost_for_good(self._board))
        try:
            failures: list[asyncio.Future[Any]] = [each.failed for each in self._running]
            await asyncio.wait([lost, *failures], return_when=asyncio.FIRST_COMPLETED)
            for each in self._running:
                if each.failed.done():
                    each.failed.result()
            lost.result()
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)


async def _tell_of_restarts(board: Board, told: Told) -> None:
    state = board.state
    while True:
        await board.state_changed()
        if board.state is state:
            continue
        state = board.state
        if state is State.RESTARTING:
            told(f"{board.url}: The board restarts, or is not heard any more; its connections are closed.")
        elif state is State.READY:
            cause = board.last_reset.cause if board.last_reset is not None else None
            told(f"{board.url}: The board is back{f' ({cause})' if cause else ''}.")


@contextlib.asynccontextmanager
async def open_forwards(
    board: Board,
    forwards: Iterable[Forward],
    *,
    told: Told = log.info,
    slot_timeout: float = SLOT_TIMEOUT,
    udp_idle: float = UDP_IDLE,
) -> AsyncIterator[Forwards]:
    """Forward connections and datagrams for as long as this lasts.

    async with open_forwards(board, [local("0:example.com:80")]) as [web]:
        print(web.address)

    After a restart of the board what it listened on is listened on again; connections of before are closed.

    Args:
        board: open; stays the caller's to close, after this.
        forwards: see `local` and `remote`.
        told: gets a sentence for each connection that did not come about, and each restart of the board.
        slot_timeout: seconds that a client waits while all five connections of the board are in use.
        udp_idle: seconds of silence after which the client of a UDP forward is forgotten.

    Raises:
        PortBusy, PortError: a place cannot be listened on; nothing is.
        BridgeError: the board does not answer.
    """
    names = Names(board.net, board.url)
    running = [_made(board, each, told, names, slot_timeout, udp_idle) for each in forwards]
    async with contextlib.AsyncExitStack() as stack:
        for each in running:
            stack.push_async_callback(each.close)
        # What is cheap to find out comes first.
        for each in sorted(running, key=lambda each: each.forward.side is Side.BOARD):
            await each.open()
        telling = asyncio.create_task(_tell_of_restarts(board, told))
        try:
            yield Forwards(board, running)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


def _made(board: Board, forward: Forward, told: Told, names: Names, slot_timeout: float, udp_idle: float) -> Running:
    match forward.side, forward.udp:
        case Side.HERE, True:
            return HereUdp(board, forward, told, names=names, idle=udp_idle)
        case Side.HERE, False:
            return HereTcp(board, forward, told, names=names, slot_timeout=slot_timeout)
        case _, True:
            return BoardUdp(board, forward, told, idle=udp_idle)
        case _:
            return BoardTcp(board, forward, told)
