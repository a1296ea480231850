"""The relay between real sockets; tests/forward has it between a socket and a board."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.streams import relay as module
from bridge.streams.relay import Relayed, Stream, relay, reset

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who has gone")


class Ends:
    """A relay between two connections, and both far ends: a program's and the peer's."""

    def __init__(
        self, program: socket.socket, peer: socket.socket, running: asyncio.Task[Relayed], local: asyncio.StreamWriter
    ) -> None:
        self.program, self.peer, self.running, self.local = program, peer, running, local
        self._loop = asyncio.get_running_loop()

    async def send(self, end: socket.socket, data: bytes) -> None:
        await self._loop.sock_sendall(end, data)

    async def take(self, end: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = await self._loop.sock_recv(end, size - len(data))
            assert piece, data
            data += piece
        return data

    async def end(self, end: socket.socket) -> bytes:
        """What comes until the end."""
        data = b""
        while piece := await self._loop.sock_recv(end, 65536):
            data += piece
        return data


async def _pair(server: asyncio.Server, accepted: asyncio.Queue[Stream]) -> tuple[socket.socket, Stream]:
    end = socket.socket()
    end.setblocking(False)
    await asyncio.get_running_loop().sock_connect(end, server.sockets[0].getsockname())
    return end, await accepted.get()


@asynccontextmanager
async def relayed(linger: float = 60.0, done: Relayed | None = None) -> AsyncIterator[Ends]:
    accepted: asyncio.Queue[Stream] = asyncio.Queue()
    server = await asyncio.start_server(lambda *stream: accepted.put_nowait(stream), "127.0.0.1", 0)
    program, local = await _pair(server, accepted)
    peer, board = await _pair(server, accepted)
    tasks = asyncio.all_tasks()
    running = asyncio.ensure_future(relay(local, board, linger=linger, done=done))
    try:
        async with asyncio.timeout(30):
            yield Ends(program, peer, running, local[1])
            await asyncio.gather(running, return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        program.close()
        peer.close()
        server.close()
        await server.wait_closed()
    assert local[1].transport.is_closing() and board[1].transport.is_closing()
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= tasks


def test_both_ways_at_once() -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            there, back = b"a" * 300_000, b"b" * 200_000
            await asyncio.gather(
                ends.send(ends.program, there), ends.send(ends.peer, back),
                ends.take(ends.program, len(back)), ends.take(ends.peer, len(there)),
            )  # fmt: skip
            ends.peer.close()
            assert await ends.end(ends.program) == b""
            ends.program.close()
            assert await ends.running == Relayed(to_board=300_000, from_board=200_000)

    asyncio.run(scenario())


def test_a_program_that_closes_its_side_gets_the_answer() -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            await ends.send(ends.program, b"question")
            ends.program.shutdown(socket.SHUT_WR)
            assert await ends.take(ends.peer, 8) == b"question"
            await asyncio.sleep(module.LOOK * 1.5)
            await ends.send(ends.peer, b"answer")
            ends.peer.close()
            assert await ends.end(ends.program) == b"answer"

    asyncio.run(scenario())


def test_a_peer_that_stays_silent_is_not_waited_for_for_ever() -> None:
    async def scenario() -> None:
        async with relayed(linger=0.3) as ends:
            ends.program.shutdown(socket.SHUT_WR)
            assert await ends.end(ends.peer) == b"" and await ends.end(ends.program) == b""

    asyncio.run(scenario())


def test_the_end_of_a_service_is_the_end() -> None:
    async def scenario() -> None:
        async with relayed(linger=0) as ends:
            await ends.send(ends.program, b"answer")
            ends.program.shutdown(socket.SHUT_WR)
            assert await ends.end(ends.peer) == b"answer"
            ends.peer.close()
            assert (await ends.running).to_board == 6

    asyncio.run(scenario())


@linux
def test_a_program_that_has_gone_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            await ends.send(ends.program, b"all of it")
            ends.program.close()
            assert await ends.end(ends.peer) == b"all of it"

    asyncio.run(scenario())


@linux
def test_a_program_that_goes_after_it_closed_its_side_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            ends.program.shutdown(socket.SHUT_WR)
            await asyncio.sleep(module.LOOK / 2)
            ends.program.close()
            assert await ends.end(ends.peer) == b""

    asyncio.run(scenario())


@pytest.mark.parametrize("end", ["closed", "reset"])
def test_what_was_carried_is_counted_also_for_a_program_that_breaks_off(end: str) -> None:
    async def scenario() -> None:
        done = Relayed()
        async with relayed(done=done) as ends:
            await ends.send(ends.program, b"question")
            await ends.take(ends.peer, 8)
            sending = asyncio.ensure_future(ends.send(ends.peer, b"x" * 20_000_000))
            await ends.take(ends.program, 1)
            if end == "reset":
                ends.program.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            ends.program.close()
            with pytest.raises(OSError):
                await ends.running
            with pytest.raises(OSError):
                await sending
        assert done.to_board == 8 and done.from_board >= 1

    asyncio.run(scenario())


def test_where_the_system_does_not_tell_an_answered_program_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "vanished", lambda writer: None)
    monkeypatch.setattr(module, "SETTLE", 0.2)

    async def scenario() -> None:
        async with relayed() as ends:
            await ends.send(ends.program, b"question")
            await ends.take(ends.peer, 8)
            await ends.send(ends.peer, b"answer")
            await ends.take(ends.program, 6)
            ends.program.close()
            assert await ends.end(ends.peer) == b""

    asyncio.run(scenario())


@linux
def test_a_program_that_goes_while_the_peer_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with relayed(linger=0.3) as ends:
            ends.program.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    while True:
                        await ends.send(ends.program, b"x" * 65536)
            ends.program.close()
            with pytest.raises(OSError):
                await ends.running

    asyncio.run(scenario())


@pytest.mark.parametrize("who", ["program", "peer"])
def test_a_reset_of_one_is_a_reset_of_the_other(who: str) -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            await ends.send(ends.program, b"x")
            await ends.take(ends.peer, 1)
            one, other = (ends.program, ends.peer) if who == "program" else (ends.peer, ends.program)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            one.close()
            with pytest.raises(ConnectionResetError):
                await ends.running
            if who == "peer":
                with pytest.raises(ConnectionResetError):
                    await ends.end(other)
            else:
                assert await ends.end(other) == b""

    asyncio.run(scenario())


def test_a_program_that_reads_nothing_more_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.2)
    monkeypatch.setattr(module, "SETTLE", 0.2)

    async def scenario() -> None:
        async with relayed() as ends:
            ends.local.transport.set_write_buffer_limits(1 << 25)
            await ends.send(ends.peer, b"x" * (1 << 24))  # more than the system keeps for the program
            ends.peer.close()
            assert (await ends.running).from_board == 1 << 24
            assert ends.local.transport.is_closing()

    asyncio.run(scenario())


@pytest.mark.parametrize("when", ["open", "half closed", "ending"])
def test_whoever_cancels_it_leaves_nothing(when: str) -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            await ends.send(ends.program, b"x")
            await ends.take(ends.peer, 1)
            if when == "half closed":
                ends.program.shutdown(socket.SHUT_WR)
            elif when == "ending":
                ends.peer.close()
            await asyncio.sleep(0.05)
            ends.running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ends.running

    asyncio.run(scenario())


def test_reset_is_seen_by_the_peer() -> None:
    async def scenario() -> None:
        async with relayed() as ends:
            server = await asyncio.start_server(lambda reader, writer: reset(writer), "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            server.close()
            ends.running.cancel()

    asyncio.run(scenario())
