from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from bridge.errors import AgentError, ArgumentRefused
from bridge.opening import open_board
from bridge.streams import Streams
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start
from tests.streams.recording import Recording
from tests.streams.worlds import BoardWorld
from tests.virtual.modules.tls_bench import TlsStream, echo, issue, secure, server_context

#: Arguments of asyncio's functions that a board has no use for: sockets, address families, the host's own addresses.
LEFT_OUT = {
    "sock", "family", "proto", "flags", "local_addr", "happy_eyeballs_delay", "interleave", "all_errors", "backlog",
    "reuse_address", "reuse_port", "keep_alive", "kwds", "client_connected_cb",
}  # fmt: skip


@pytest.mark.parametrize("name", ["create_connection", "create_server", "create_datagram_endpoint"])
def test_arguments_are_those_of_asyncio(name: str) -> None:
    theirs = inspect.signature(getattr(asyncio.BaseEventLoop, name)).parameters
    ours = inspect.signature(getattr(Streams, name)).parameters
    assert {*theirs} - {*ours} - LEFT_OUT == set()


@pytest.mark.world("board")
@pytest.mark.parametrize("wrong", ["boards", 5, b"x"])
async def test_what_is_nothing_to_encrypt_with(world: BoardWorld, wrong: Any) -> None:
    with pytest.raises(ArgumentRefused):
        await world.open_connection(world.host, 9, ssl=wrong)


@pytest.mark.world("board")
async def test_false_is_no_tls(world: BoardWorld) -> None:
    with pytest.raises(ConnectionRefusedError):
        await world.open_connection(world.host, 9, ssl=False)


def test_tls_of_the_board() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", cpu=0)) as virtual:
            await virtual.answered()
            assert isinstance(virtual.network, MemoryNetwork)
            virtual.network.serve("10.77.0.1", 443, secure(server_context(issue("server")), echo))
            virtual.network.serve("10.77.0.1", 80, lambda stream: stream.read())

            async def talk(stream: TlsStream) -> None:
                stream.write(bytes(9_000))
                await stream.close()

            async def pour(stream: TlsStream) -> None:
                for _ in range(40):
                    stream.write(bytes(4_000))
                    await asyncio.sleep(0.5)

            virtual.network.serve("10.77.0.1", 445, secure(server_context(issue("server")), pour))
            virtual.network.serve("10.77.0.1", 444, secure(server_context(issue("server")), talk))
            async with open_board(VirtualPort(virtual), start=start) as board:
                reader, writer = await board.open_connection("10.77.0.1", 443, ssl="board")
                assert writer.get_extra_info("peername") == ("10.77.0.1", 443)
                sent = bytes(range(256)) * 20
                writer.write(sent)
                assert await reader.readexactly(len(sent)) == sent
                writer.close()
                await writer.wait_closed()
                reader, writer = await board.open_connection("10.77.0.1", 444, ssl="board")
                assert await reader.read() == bytes(9_000)
                writer.close()
                await writer.wait_closed()
                _, protocol = await board.create_connection(Recording, "10.77.0.1", 443, ssl="board")
                protocol.transport.abort()
                assert await protocol.ended() is None
                _, protocol = await board.create_connection(Recording, "10.77.0.1", 445, ssl="board")
                protocol.transport.pause_reading()  # of which the peer hears nothing
                await asyncio.sleep(60)
                protocol.transport.resume_reading()
                assert isinstance(await protocol.ended(), ConnectionAbortedError)
                assert 50_000 < len(protocol.data) < 80_000
                with pytest.raises(OSError):
                    await board.open_connection("10.77.0.1", 80, ssl="board", timeout=20)
                with pytest.raises(ConnectionRefusedError):
                    await board.open_connection("10.77.0.1", 9, ssl="board")
                assert board._slots.taken == 0

    clock.run(main())


def test_a_board_without_tls() -> None:
    async def main() -> None:
        options = VirtualOptions(clock="virtual", cpu=0, modules="file,net,node,ow,tmr,uart,wifi")
        async with VirtualBoard(options) as virtual:
            await virtual.answered()
            async with open_board(VirtualPort(virtual), start=start) as board:
                with pytest.raises(AgentError, match="tls"):
                    await board.open_connection("10.77.0.1", 443, ssl="board")
                assert board._slots.taken == 0

    clock.run(main())
