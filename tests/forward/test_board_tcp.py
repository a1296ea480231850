"""Connections from the network of a virtual board over RFC 2217 to this computer."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from pathlib import Path

import pytest

from bridge.errors import PortBusy
from bridge.forward import Forward, open_forwards, remote
from bridge.streams.relay import reset
from tests.forward.peers import ask, echo, program, served, web_server
from tests.forward.rig import Rig, nothing_left, on, opened


def to(port: int, listen: int = 0) -> Forward:
    return remote(f"{listen}:127.0.0.1:{port}")


@pytest.mark.parametrize(
    "requests",
    [
        25,  # more than the board closes at once
        # 80 s of it are closings that wait.
        pytest.param(200, marks=[pytest.mark.nightly, pytest.mark.timeout(300)]),
    ],
)
def test_requests_of_ab_reach_a_web_server(board_rig: Rig, tmp_path: Path, requests: int) -> None:
    (tmp_path / "page").write_bytes(b"x" * 500)

    async def scenario() -> None:
        async with on(board_rig, 280) as board, web_server("127.0.0.1", tmp_path) as port:
            async with opened(board, to(port)) as open_:
                address, chosen = open_.forwards[0].address
                assert address == f"{board_rig.network}.2"
                assert open_.forwards[0].line == f"board {address}:{chosen} → this computer → 127.0.0.1:{port}"
                url = f"http://{address}:{chosen}/page"
                code, out, err = await program("ab", "-n", str(requests), "-c", "5", url)
                assert code == 0, err
                assert re.search(rb"Complete requests: +%d\n" % requests, out), out
                assert re.search(rb"Failed requests: +0\n", out), out
                assert open_.told == []

    asyncio.run(scenario())


def test_the_service_ends_the_connection_and_no_client_waits(board_rig: Rig) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4) + b"x" * 20_000)

    async def scenario() -> None:
        async with on(board_rig) as board, served("127.0.0.1", answer) as port:
            async with opened(board, to(port)) as open_:
                reader, writer = await asyncio.open_connection(*open_.forwards[0].address)
                writer.write(b"tell")
                assert await asyncio.wait_for(reader.read(), 20) == b"tell" + b"x" * 20_000
                writer.close()

    asyncio.run(scenario())


def test_a_client_that_sends_and_closes_is_heard_to_the_end(board_rig: Rig) -> None:
    async def scenario() -> None:
        taken: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken.set_result(await reader.read(-1))

        async with on(board_rig) as board, served("127.0.0.1", store) as port:
            async with opened(board, to(port)) as open_:
                _, writer = await asyncio.open_connection(*open_.forwards[0].address)
                writer.write(b"x" * 30_000)
                writer.close()
                assert await asyncio.wait_for(taken, 20) == b"x" * 30_000

    asyncio.run(scenario())


def test_nobody_serves(board_rig: Rig) -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            async with on(board_rig) as board:
                async with opened(board, to(taken.getsockname()[1])) as open_:
                    reader, writer = await asyncio.open_connection(*open_.forwards[0].address)
                    with contextlib.suppress(ConnectionError):
                        assert await reader.read() == b""
                    writer.close()
                    assert (await open_.heard("Connect call failed")).startswith(open_.forwards[0].line)

    asyncio.run(scenario())


def test_resets_of_either_side_end_the_other(board_rig: Rig) -> None:
    async def scenario() -> None:
        ended: asyncio.Queue[None] = asyncio.Queue()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"begun")
            if await reader.readexactly(1) == b"r":
                reset(writer)
            else:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                ended.put_nowait(None)

        async with on(board_rig) as board, served("127.0.0.1", serve) as port:
            async with opened(board, to(port)) as open_:
                for what in (b"r", b"c"):
                    reader, writer = await asyncio.open_connection(*open_.forwards[0].address)
                    assert await reader.readexactly(5) == b"begun"
                    writer.write(what)
                    if what == b"r":
                        with contextlib.suppress(ConnectionError):
                            assert await reader.read() == b""
                        writer.close()
                    else:
                        reset(writer)
                        await asyncio.wait_for(ended.get(), 20)

    asyncio.run(scenario())


def test_after_a_reset_under_load_the_same_port_is_listened_on_again(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, served("127.0.0.1", echo) as port:
            async with opened(board, to(port)) as open_:
                address = open_.forwards[0].address
                streams = [await asyncio.open_connection(*address) for _ in range(4)]
                for reader, writer in streams:
                    writer.write(b"x" * 3000)
                    await reader.readexactly(1)
                board_rig.press_reset()
                for reader, writer in streams:
                    with contextlib.suppress(ConnectionError):
                        await reader.read()
                    writer.close()
                await open_.heard("listens again")
                assert open_.forwards[0].address == address
                assert await ask(address, b"again", 5) == b"again"
                assert "The board restarts" in open_.told[0]

    asyncio.run(scenario())


def test_a_port_of_the_board_that_is_taken_opens_nothing(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, nothing_left(board):
            with pytest.raises(PortBusy, match="TCP port 8123 of the board is taken"):
                async with open_forwards(board, [to(1, listen=8123), to(2, listen=8123)]):
                    pass
            async with open_forwards(board, [to(1, listen=8123)]):
                pass  # it was given back

    asyncio.run(scenario())
