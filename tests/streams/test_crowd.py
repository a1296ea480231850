from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from bridge.board import Board
from bridge.opening import open_board
from bridge.streams.crowd import AT_ONCE, CROWDED, UNACKNOWLEDGED, Crowd
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start
from tests.variants import by_night

HOST = "10.77.0.1"
#: Bytes that each sends.
SIZE = 30_000
#: Bytes of heap below which the board is in danger.
MARGIN = 3_000


def test_who_sends_and_whose_turn_it_is() -> None:
    async def main() -> None:
        crowd = Crowd()
        for _ in range(CROWDED):
            assert not crowd.crowded
            crowd.enter()
        assert crowd.crowded
        for _ in range(CROWDED):
            crowd.leave()
        assert crowd.sending == 0
        for place, at_once in ((crowd.line, AT_ONCE), (crowd.turn, UNACKNOWLEDGED)):
            under_way = most = 0

            async def one(place: Callable[[], AbstractAsyncContextManager[None]] = place) -> None:
                nonlocal under_way, most
                async with place():
                    under_way += 1
                    most = max(most, under_way)
                    await asyncio.sleep(0)
                    under_way -= 1

            await asyncio.gather(*(one() for _ in range(9)))
            assert most == at_once

    asyncio.run(main())


async def reads(stream: MemoryStream) -> None:
    await stream.read()


async def send(board: Board, port: int = 80) -> float:
    """Send to a server; when it has all left, in seconds of the clock."""
    reader, writer = await board.open_connection(HOST, port)
    writer.write(bytes(SIZE))
    writer.close()
    await writer.wait_closed()
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("stalled", by_night([0, 1, 2], but=[2]))
def test_five_that_send_share_the_line_and_the_heap_whether_or_not_some_are_stalled(stalled: int) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            stuck = asyncio.Event()
            virtual.network.serve(HOST, 80, reads)
            virtual.network.serve(HOST, 81, lambda stream: stuck.wait(), receive_buffer=2_000)
            async with open_board(VirtualPort(virtual), start=start, speeds=()) as board:
                loop = asyncio.get_running_loop()
                began = loop.time()
                alone = SIZE / (await send(board) - began)
                held = []
                for _ in range(stalled):
                    _, writer = await board.open_connection(HOST, 81)
                    writer.write(bytes(SIZE))
                    held.append(writer)
                await asyncio.sleep(10)
                began = loop.time()
                ends = await asyncio.gather(*(send(board) for _ in range(5 - stalled)))
                together = SIZE * (5 - stalled) / (max(ends) - began)
                print(f"alone {alone:.0f} B/s, together {together:.0f} B/s, heap {virtual.statistics.lowest_heap}")
                assert together >= 0.8 * alone
                assert virtual.statistics.lowest_heap is not None and virtual.statistics.lowest_heap > MARGIN
                for writer in held:
                    writer.transport.abort()
                    await writer.wait_closed()
                stuck.set()
                await asyncio.sleep(1)
                assert board._slots.taken == 0 and board._slots.crowd.sending == 0

    clock.run(main())


def test_in_a_crowd_who_does_not_read_can_write_all_the_same() -> None:
    """The acknowledgement is told behind data that the protocol does not want yet: each waited for the other."""

    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            arrived: list[int] = []

            async def talks_first(stream: MemoryStream) -> None:
                stream.write(b"what nobody reads yet")
                arrived.append(len(await stream.read()))

            virtual.network.serve(HOST, 80, talks_first)
            async with open_board(VirtualPort(virtual), start=start, speeds=()) as board:
                writers = [(await board.open_connection(HOST, 80))[1] for _ in range(CROWDED)]
                for writer in writers:
                    assert isinstance(writer.transport, asyncio.Transport)
                    writer.transport.pause_reading()
                    writer.write(bytes(SIZE))
                async with asyncio.timeout(120):
                    for writer in writers:
                        writer.transport.set_write_buffer_limits(0)
                        await writer.drain()
                for writer in writers:
                    writer.close()
                    await writer.wait_closed()
                await asyncio.sleep(1)
                assert arrived == [SIZE] * CROWDED

    clock.run(main())
