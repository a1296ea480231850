"""What a board's transport does beyond asyncio's own: limits of time, and boards that go."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bridge.board import Board
from bridge.errors import NetTimeout
from bridge.opening import open_board
from bridge.streams.slots import CLOSED_AT_ONCE, MOST
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start
from tests.streams.recording import Recording
from tests.streams.test_closing_slots import close
from tests.streams.test_contract_transport import payload
from tests.streams.worlds import BoardWorld, World


@pytest.mark.world("board", "board-on-loopback")
async def test_there_is_no_half_closed_connection(world: World) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        assert not transport.can_write_eof()
        with pytest.raises(NotImplementedError, match="one side"):
            transport.write_eof()
        protocol.eof_received = lambda: True  # type: ignore[method-assign]  # asks to keep it open
        far.close()
        assert await protocol.ended() is None
        assert "closed" in repr(transport) and world.host in repr(transport)


@pytest.mark.world("board")
async def test_closing_with_a_peer_that_does_not_read(world: BoardWorld) -> None:
    async with world.connected(Recording, close_timeout=5) as (transport, protocol, far):
        transport.write(bytes(300_000))
        transport.close()
        began = world.loop.time()
        error = await protocol.ended()
        assert isinstance(error, NetTimeout) and "did not leave within 5 s" in str(error)
        assert world.loop.time() - began == pytest.approx(5, abs=0.1)
        assert transport.get_write_buffer_size() == 0


@pytest.mark.world("board")
async def test_waiting_to_be_closed_is_no_part_of_the_time_in_which_data_has_to_leave(world: BoardWorld) -> None:
    for _ in range(CLOSED_AT_ONCE + 5):
        closing = asyncio.ensure_future(close(world.board._slots))
        await asyncio.sleep(0)
    async with world.connected(Recording, close_timeout=1) as (transport, protocol, far):
        transport.write(b"all of it")
        transport.close()
        assert await protocol.ended() is None and closing.done()
        assert await far.read_exactly(9) == b"all of it"


@pytest.mark.world("board")
async def test_aborting_waits_its_turn_as_closing_does(world: BoardWorld) -> None:
    """Each was closed at once: more at a time than the board's heap holds."""
    async with world.connected(Recording) as (transport, protocol, far):
        closings = [asyncio.ensure_future(close(world.board._slots)) for _ in range(CLOSED_AT_ONCE + 4)]
        await asyncio.sleep(0)
        began = world.loop.time()
        transport.abort()
        assert await protocol.ended() is None and world.loop.time() == began  # it hears of it at once
        assert await far.read() == b"" and all(each.done() for each in closings)


@pytest.mark.world("board")
async def test_a_peer_that_closes_ends_the_wait_of_who_aborts(world: BoardWorld) -> None:
    for _ in range(CLOSED_AT_ONCE + 50):
        closing = asyncio.ensure_future(close(world.board._slots))
    async with world.stream() as (_, writer, far):
        writer.transport.abort()
        await asyncio.sleep(0.1)
        assert world.board._slots.taken == 1
        far.close()
        await asyncio.sleep(0.1)
        assert world.board._slots.taken == 0 and not closing.done()
    await closing


@pytest.mark.world("board")
async def test_a_peer_that_takes_nothing_for_minutes_loses_nothing(world: BoardWorld) -> None:
    """The agent gave up after 2.5 s, with "out of memory"."""
    data = payload(100_000)
    async with world.connected(Recording) as (transport, protocol, far):
        transport.write(data)
        await asyncio.sleep(200)
        assert transport.get_write_buffer_size() > 0 and not transport.is_closing()
        assert await far.read_exactly(len(data)) == data


@pytest.mark.world("board")
async def test_a_peer_that_never_closes_holds_no_slot(world: BoardWorld) -> None:
    async with world.far_server() as server:
        for _ in range(2 * MOST):
            reader, writer = await world.open_connection(*server.address)
            writer.write(b"x")
            writer.close()
            await writer.wait_closed()


@pytest.mark.world("board")
async def test_aborting_with_much_waiting_both_ways(world: BoardWorld) -> None:
    async with world.connected(Recording) as (transport, protocol, far):
        far.write(bytes(60_000))
        transport.pause_reading()
        transport.write(bytes(300_000))  # the far side's buffers take less
        await asyncio.sleep(5)
        transport.abort()
        assert await protocol.ended() is None
        with contextlib.suppress(ConnectionError):
            assert len(await far.read()) < 300_000
        assert bytes(protocol.data) == b""


@pytest.mark.world("board")
async def test_a_writer_hears_of_the_end_although_nobody_reads(world: BoardWorld) -> None:
    async with world.stream(limit=100) as (reader, writer, far):
        far.write(bytes(20_000))
        await reader.readexactly(100)
        await asyncio.sleep(5)
        assert not writer.transport.is_reading()
        far.abort()
        with pytest.raises(ConnectionResetError):
            while True:
                writer.write(bytes(10_000))
                await writer.drain()


@pytest.mark.world("board")
async def test_a_reset_in_the_middle_of_much(world: BoardWorld) -> None:
    async with world.stream() as (reader, writer, far):
        writer.write(bytes(100_000))
        far.write(bytes(30_000))
        await reader.readexactly(5_000)
        far.abort()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(100_000)
        with pytest.raises(ConnectionResetError):
            await writer.drain()


@pytest.mark.world("board")
async def test_a_board_that_restarts_under_load(world: BoardWorld) -> None:
    async with world.far_server() as server:
        ends = []
        for _ in range(MOST):
            transport, protocol = await world.create_connection(Recording, *server.address)
            transport.write(bytes(20_000))
            (await server.accept()).write(bytes(20_000))
            ends.append(protocol)
        await asyncio.sleep(0.5)
        await world.board.reset()
        for protocol in ends:  # one of them may have been given up before, for want of heap
            assert isinstance(await protocol.ended(), ConnectionResetError | ConnectionAbortedError)
        assert world.board._slots.taken == 0
        async with world.stream() as (reader, writer, far):
            far.write(b"again")
            assert await reader.readexactly(5) == b"again"
    await world.warm_up()  # what a new boot loads


def on_a_board_of_its_own(scenario: object) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", cpu=0, baud_pacing=0)) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            virtual.network.serve("10.77.0.1", 80, lambda stream: stream.read())
            async with open_board(VirtualPort(virtual), start=start) as board:
                await scenario(board)  # type: ignore[operator]
            before = {asyncio.current_task()}
            await asyncio.sleep(1)
            left = [
                task for task in asyncio.all_tasks() - before if "bridge" in repr(task) and "virtual" not in repr(task)
            ]
            assert left == []

    clock.run(main())


def test_a_board_that_is_closed() -> None:
    async def scenario(board: Board) -> None:
        reader, writer = await board.open_connection("10.77.0.1", 80)
        server = await board.start_server(lambda *stream: None, 8080)
        forever = asyncio.ensure_future(server.serve_forever())
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        await board.close()
        for each in (waiting, forever, writer.drain(), board.open_connection("10.77.0.1", 80)):
            with pytest.raises(ConnectionError):
                await each
        await server.wait_closed()
        assert board._slots.taken == 0

    on_a_board_of_its_own(scenario)


def test_slots_come_back_when_the_agent_leaves_for_the_prompt() -> None:
    async def scenario(board: Board) -> None:
        streams = [await board.open_connection("10.77.0.1", 80) for _ in range(MOST)]
        await board.file.format()
        for reader, _ in streams:
            with pytest.raises(ConnectionError):
                await reader.read()
        assert board._slots.taken == 0
        for _ in range(MOST):
            _, writer = await board.open_connection("10.77.0.1", 80)
            writer.close()
            await writer.wait_closed()

    on_a_board_of_its_own(scenario)
