"""Connections from this computer, by a virtual board over RFC 2217, to its network."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import sys
from pathlib import Path

import pytest

from bridge.errors import PortBusy
from bridge.forward import Forward, here_tcp, local, open_forwards
from bridge.streams.relay import reset
from tests.forward.peers import ask, echo, program, served, web_server
from tests.forward.rig import Rig, nothing_left, on, opened, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who has gone")


def to(rig: Rig, port: int, host: str | None = None) -> Forward:
    return local(f"0:{host or rig.host}:{port}")


def test_curl_fetches_a_page_by_name(board_rig: Rig, tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    (tmp_path / "page").write_bytes(content)

    async def scenario() -> None:
        async with on(board_rig) as board, web_server(board_rig.host, tmp_path) as port:
            async with opened(board, to(board_rig, port, "here.test")) as open_:
                assert open_.forwards[0].line == f"127.0.0.1:{open_.forwards[0].address[1]} → board → here.test:{port}"
                url = f"http://127.0.0.1:{open_.forwards[0].address[1]}/page"
                code, out, err = await program("curl", "-sS", url)
                assert (code, err) == (0, b"")
                assert hashlib.sha256(out).digest() == hashlib.sha256(content).digest()
                assert open_.told == []

    asyncio.run(scenario())


def test_fifty_clients_of_five_slots_all_finish(board_rig: Rig) -> None:
    at_once = most = 0

    async def scenario() -> None:
        five = asyncio.Barrier(5)

        async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            question = await reader.readexactly(2)
            await five.wait()  # all slots are of use, or nobody gets an answer
            writer.write(question * 500)
            await writer.drain()
            await reader.read()
            at_once -= 1

        async with on(board_rig) as board, served(board_rig.host, busy) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                answers = await asyncio.gather(*(ask(address, b"%02d" % each, 1000) for each in range(50)))
                assert answers == [b"%02d" % each * 500 for each in range(50)]
                assert open_.told == []

    asyncio.run(scenario())
    assert most == 5


def test_a_client_whose_turn_does_not_come_is_told_so(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, to(board_rig, port), slot_timeout=0.5) as open_:
                address = open_.forwards[0].address
                five = [await asyncio.open_connection(*address) for _ in range(5)]
                for reader, writer in five:
                    writer.write(b"x")
                    assert await reader.readexactly(1) == b"x"
                with pytest.raises(ConnectionResetError):
                    await ask(address, b"x", 1)
                assert "All 5 connections of the board were in use" in await open_.heard("in use")
                five[0][1].close()
                assert await ask(address, b"x", 1) == b"x"
                for _, writer in five:
                    writer.close()

    asyncio.run(scenario())


def test_nc_closes_its_side_and_gets_its_answer(board_rig: Rig) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readuntil(b"\n")
        for _ in range(5):  # longer than what a client is given that has its answer
            await asyncio.sleep(0.6)
            writer.write(question)

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, slow) as port:
            async with opened(board, to(board_rig, port)) as open_:
                place = map(str, open_.forwards[0].address)
                code, out, err = await program("nc", "-N", *place, stdin=b"question\n")
                assert (code, out, err) == (0, b"question\n" * 5, b"")

    asyncio.run(scenario())


def test_what_a_program_sent_before_it_closed_arrives_and_its_slot_is_free_at_once(board_rig: Rig) -> None:
    async def scenario() -> None:
        taken: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def store(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken.set_result(await reader.read(-1))  # answers nothing, as FTP's data connection

        async with on(board_rig) as board, served(board_rig.host, store) as port:
            async with opened(board, to(board_rig, port)) as open_:
                _, writer = await asyncio.open_connection(*open_.forwards[0].address)
                writer.write(b"x" * 50_000)
                writer.close()
                await writer.wait_closed()
                # The board's end comes as soon as it is seen that nobody waits, not after a minute.
                assert await asyncio.wait_for(taken, 20) == b"x" * 50_000

    asyncio.run(scenario())


def test_one_stalled_client_does_not_hold_up_the_others(board_rig: Rig) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int(await reader.readuntil(b"\n"))
        writer.write(b"x" * size)
        await writer.drain()
        await reader.read()

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, flood) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                stalled = socket.create_connection(address)
                stalled.sendall(b"20000000\n")
                answers = await asyncio.gather(*(ask(address, b"30000\n", 30_000) for _ in range(8)))
                assert answers == [b"x" * 30_000] * 8
                stalled.close()

    asyncio.run(scenario())


def test_refused_and_unknown(board_rig: Rig) -> None:
    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind((board_rig.host, 0))  # bound, and nobody listens
            port = taken.getsockname()[1]
            async with on(board_rig) as board:
                async with opened(board, to(board_rig, port), to(board_rig, port, "a..b")) as open_:
                    for running, why in zip(
                        open_.forwards, ("refuses the connection", "cannot be the name"), strict=True
                    ):
                        code, out, err = await program("curl", "-sS", f"http://127.0.0.1:{running.address[1]}/")
                        assert code in (7, 52, 56) and out == b"", err
                        assert (await open_.heard(why)).startswith(running.line)

    asyncio.run(scenario())


def test_resets_in_mid_stream_are_passed_on_both_ways(board_rig: Rig) -> None:
    async def scenario() -> None:
        ended: asyncio.Queue[Exception | None] = asyncio.Queue()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.readexactly(1) == b"r":
                writer.write(b"begun")
                await writer.drain()
                await reader.readexactly(1)
                reset(writer)
                return
            writer.write(b"begun")
            try:
                assert await reader.read(1) == b""
                ended.put_nowait(None)
            except ConnectionError as error:
                ended.put_nowait(error)

        async with on(board_rig) as board, served(board_rig.host, serve) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                reader, writer = await asyncio.open_connection(*address)
                writer.write(b"r")
                assert await reader.readexactly(5) == b"begun"
                writer.write(b"r")
                with pytest.raises(ConnectionResetError):
                    await reader.read()
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
                reader, writer = await asyncio.open_connection(*address)
                writer.write(b"c")
                assert await reader.readexactly(5) == b"begun"
                reset(writer)
                await asyncio.wait_for(ended.get(), 20)

    asyncio.run(scenario())


def test_clients_that_vanish_while_they_wait_leave_nothing(board_rig: Rig) -> None:
    served_ = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served_
        served_ += 1
        await echo(reader, writer)

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, count) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                five = [await asyncio.open_connection(*address) for _ in range(5)]
                for reader, writer in five:
                    writer.write(b"x")
                    assert await reader.readexactly(1) == b"x"
                waiting = [await asyncio.open_connection(*address) for _ in range(20)]
                await until(lambda: board._slots.waiting == 20)
                for _, writer in waiting:
                    reset(writer)
                await until(lambda: not board._slots.waiting)
                for _, writer in five:
                    writer.close()
                assert await ask(address, b"y", 1) == b"y"

    asyncio.run(scenario())
    assert served_ == 6


@linux
def test_clients_that_close_while_they_wait_are_out_of_the_queue_unless_they_said_something(board_rig: Rig) -> None:
    said: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read(1))
        await reader.read()

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, take) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                five = [await asyncio.open_connection(*address) for _ in range(5)]
                for _, writer in five:
                    writer.write(b"x")
                await until(lambda: len(said) == 5)
                waiting = [await asyncio.open_connection(*address) for _ in range(12)]
                await until(lambda: board._slots.waiting == 12)
                waiting[0][1].write(b"y")
                waiting[1][1].write_eof()  # it waits for what it may be told
                for number, (_, writer) in enumerate(waiting):
                    if number != 1:
                        writer.close()
                await until(lambda: board._slots.waiting == 2)
                assert not waiting[1][0].at_eof()
                waiting[1][1].transport.abort()
                await until(lambda: board._slots.waiting == 1)
                for _, writer in five:
                    writer.close()
                await until(lambda: len(said) == 6)

    asyncio.run(scenario())
    assert said == [b"x"] * 5 + [b"y"]


def test_more_clients_than_are_served_are_sent_away(board_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here_tcp, "MOST", 3)

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                three = [await asyncio.open_connection(*address) for _ in range(3)]
                await until(lambda: board._slots.taken == 3)
                for _ in range(4):
                    with pytest.raises(ConnectionResetError):
                        await ask(address, b"x", 1)
                assert "there are 3 already" in open_.told[0] and len(open_.told) == 1
                for _, writer in three:
                    writer.close()

    asyncio.run(scenario())


def test_a_name_that_nobody_knows_takes_no_place_of_others(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, to(board_rig, port, "nobody.test"), to(board_rig, port)) as open_:
                unknown, known = (each.address for each in open_.forwards)
                lost = [await asyncio.open_connection(*unknown) for _ in range(6)]
                await until(lambda: open_.forwards[0].running == 6)
                assert await ask(known, b"x", 1) == b"x"
                assert "".join(open_.told) == ""
                for _, writer in lost:
                    reset(writer)

    asyncio.run(scenario())


def test_a_reset_of_the_board_closes_connections_and_new_ones_are_made(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address

                async def load() -> None:
                    reader, writer = await asyncio.open_connection(*address)
                    try:
                        while True:
                            writer.write(b"x" * 5000)
                            await reader.readexactly(5000)
                    finally:
                        writer.close()

                loads = [asyncio.ensure_future(load()) for _ in range(5)]
                queued = asyncio.ensure_future(ask(address, b"queued", 6))
                await until(lambda: board._slots.taken == 5 and board._slots.waiting == 1)
                board_rig.press_reset()
                ends = await asyncio.gather(*loads, return_exceptions=True)
                assert all(isinstance(end, ConnectionError | asyncio.IncompleteReadError) for end in ends), ends
                await open_.heard("The board restarts")
                await open_.heard("The board is back")
                assert await ask(address, b"again", 5) == b"again"
                assert await queued == b"queued"

    asyncio.run(scenario())


def test_closing_ends_what_is_under_way(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, to(board_rig, port)) as open_:
                address = open_.forwards[0].address
                streams = [await asyncio.open_connection(*address) for _ in range(7)]
                for reader, writer in streams[:5]:
                    writer.write(b"x")
                    assert await reader.readexactly(1) == b"x"
                for _, writer in streams:
                    writer.write(b"y" * 200_000)
            for reader, writer in streams:
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address)

    asyncio.run(scenario())


def test_a_port_that_is_taken_opens_nothing(board_rig: Rig) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            free = _free_port()
            async with on(board_rig) as board, nothing_left(board):
                with pytest.raises(PortBusy, match=f"TCP port 127.0.0.1:{port} of this computer is taken"):
                    async with open_forwards(board, [local(f"{free}:a.test:80"), local(f"{port}:a.test:80")]):
                        pass
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", free)

    asyncio.run(scenario())


def test_ipv6_of_this_computer(board_rig: Rig) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this computer has no IPv6")

    async def scenario() -> None:
        async with on(board_rig) as board, served(board_rig.host, echo) as port:
            async with opened(board, local(f"[::1]:0:{board_rig.host}:{port}")) as open_:
                assert open_.forwards[0].line.startswith("[::1]:")
                assert await ask(open_.forwards[0].address, b"six", 3) == b"six"

    asyncio.run(scenario())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
