"""SOCKS5 over a board: CONNECT, and everything that goes wrong with it."""

from __future__ import annotations

import asyncio
import socket
import struct
from random import Random

import pytest

from bridge.proxy import Credentials, Limits
from tests.proxy.rig import PATIENCE, rig, until
from tests.proxy.servers import echo, refused_port, server
from tests.proxy.socks_client import CONNECT, SocksClient

#: An address outside the board's network: nobody answers.
SILENT = "192.0.2.1"


async def test_bytes_go_both_ways() -> None:
    data = Random(1).randbytes(60_000)
    async with rig() as one, server(one.host, echo) as port:
        async with SocksClient(*one.address) as client:
            code, address, bound = await client.request(CONNECT, "web.test", port)
            assert code == 0 and address.startswith("127.") and bound > 0
            client.writer.write(data)
            assert await client.reader.readexactly(len(data)) == data
        served = await one.outcome()
        assert (served.kind, served.target, served.outcome) == ("connect", f"web.test:{port}", "served")
        assert (served.to_board, served.from_board) == (60_000, 60_000)


async def test_what_is_sent_before_the_reply_is_not_lost() -> None:
    async with rig() as one, server(one.host, echo) as port, SocksClient(*one.address) as client:
        await client.ask(CONNECT, one.host, port)
        client.writer.write(b"early")
        assert (await client.reply())[0] == 0
        assert await client.reader.readexactly(5) == b"early"


@pytest.mark.parametrize(
    ("host", "port", "code"),
    [
        ("refused", None, 5),
        ("nobody.test", 80, 4),
        (SILENT, 80, 4),
        ("2001:db8::1", 80, 8),
        ("127.0.0.1", 0, 1),
    ],
)
async def test_why_there_is_no_connection(host: str, port: int | None, code: int) -> None:
    async with rig() as one:
        if port is None:
            host, port = one.host, refused_port(one.host)
        async with SocksClient(*one.address) as client:
            assert (await client.request(CONNECT, host, port))[0] == code
            assert await client.reader.read() == b""
        assert (await one.outcome()).outcome != "served"


async def test_a_time_that_is_over_is_told() -> None:
    async with rig(limits=Limits(connect=0.3)) as one, SocksClient(*one.address) as client:
        assert (await client.request(CONNECT, SILENT, 80))[0] == 6


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", b"\x00\x5b" + bytes(6)),
        (b"\x06\x01\x00", b""),
        (b"\x00" * 20_000, b""),
        (b"\x05\x01\x02", b"\x05\xff"),
        (b"\x05\x01\x00\x05\x07\x00\x01" + bytes(6), b"\x05\x00\x05\x07\x00\x01" + bytes(6)),
        (b"\x05\x01\x00\x05\x01\x00\x09" + bytes(600_000), b"\x05\x00\x05\x08\x00\x01" + bytes(6)),
    ],
)
async def test_wrong_versions_commands_and_sizes(said: bytes, answered: bytes) -> None:
    async with rig() as one, SocksClient(*one.address) as client:
        client.writer.write(said)
        client.writer.write_eof()
        assert await client.reader.read() == answered


async def test_credentials() -> None:
    async with rig(credentials=Credentials("me", "hunter2")) as one, server(one.host, echo) as port:
        for login, answered in [
            (b"\x01\x02me\x07hunter2", b"\x01\x00"),
            (b"\x01\x02me\x07hunter3", b"\x01\x01"),
            (b"\x01\x03you\x07hunter2", b"\x01\x01"),
            (b"\x02\x02me\x07hunter2", b"\x01\x01"),
        ]:
            async with SocksClient(*one.address) as client:
                client.writer.write(b"\x05\x02\x00\x02")
                assert await client.reader.readexactly(2) == b"\x05\x02"
                client.writer.write(login)
                assert await client.reader.readexactly(2) == answered
                if answered == b"\x01\x00":
                    client.writer.write(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
                    assert (await client.reply())[0] == 0
                else:
                    assert await client.reader.read() == b""
        async with SocksClient(*one.address) as client:
            client.writer.write(b"\x05\x01\x00")
            assert await client.reader.read() == b"\x05\xff"
        await one.outcome(5)
        assert "hunter" not in str(one.served)


async def test_a_client_that_says_nothing_or_half_of_it_is_sent_away() -> None:
    async with rig(limits=Limits(handshake=0.3)) as one:
        for said in (b"", b"\x05", b"\x05\x01\x00\x05\x01"):
            async with SocksClient(*one.address) as client:
                client.writer.write(said)
                with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                    await client.reader.readexactly(100)
        assert [each.outcome for each in one.served] == ["the client was too slow"] * 3


async def test_a_client_that_breaks_off_in_the_handshake() -> None:
    async with rig() as one:
        for said in (b"", b"\x05", b"\x05\x01\x00\x05\x01"):
            async with SocksClient(*one.address) as client:
                client.writer.write(said)
                await client.writer.drain()
        await one.outcome(3)


async def test_a_client_that_vanishes_while_the_board_connects() -> None:
    async with rig() as one:
        for number in range(1, 8):
            async with SocksClient(*one.address) as client:
                await client.ask(CONNECT, SILENT, 80)
                await until(lambda: one.board._slots.taken == 1, "connection on its way")
            assert (await one.outcome(number)).outcome == "the client has gone"
            await until(lambda: one.board._slots.taken == 0, "free slot")


async def stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes nothing and says nothing."""
    await asyncio.sleep(3600)


async def test_a_client_that_vanishes_while_it_queues() -> None:
    async with rig() as one, server(one.host, stalled) as port:
        holders = []
        for _ in range(5):
            client = await SocksClient(*one.address).__aenter__()
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            holders.append(client)
        async with SocksClient(*one.address) as client:
            await client.ask(CONNECT, one.host, port)
            await until(lambda: one.board._slots.waiting == 1, "client in the queue")
        assert (await one.outcome()).outcome == "the client has gone"
        assert (one.board._slots.taken, one.board._slots.waiting) == (5, 0)
        for client in holders:
            client.writer.transport.abort()


async def test_whoever_queues_too_long_is_told() -> None:
    async with rig(limits=Limits(slot=0.3)) as one, server(one.host, stalled) as port:
        holders = []
        for _ in range(5):
            client = await SocksClient(*one.address).__aenter__()
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            holders.append(client)
        async with SocksClient(*one.address) as client:
            assert (await client.request(CONNECT, one.host, port))[0] == 6
        for client in holders:
            client.writer.transport.abort()


async def test_fifty_clients_share_five_slots_and_all_finish() -> None:
    async def exchange(address: tuple[str, int], host: str, port: int, data: bytes) -> bytes:
        async with SocksClient(*address) as client:
            assert (await client.request(CONNECT, host, port))[0] == 0
            client.writer.write(data)
            return await client.reader.readexactly(len(data))

    async with rig() as one, server(one.host, echo) as port:
        sent = [Random(number).randbytes(2000) for number in range(50)]
        async with asyncio.timeout(4 * PATIENCE):
            got = await asyncio.gather(*(exchange(one.address, one.host, port, data) for data in sent))
        assert got == sent
        await one.outcome(50)
        assert {each.outcome for each in one.served} == {"served"}


async def test_a_peer_that_resets_in_the_middle_is_told_as_a_reset() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half of ")
        await writer.drain()
        await reader.readexactly(3)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with rig() as one, server(one.host, half) as port, SocksClient(*one.address) as client:
        assert (await client.request(CONNECT, one.host, port))[0] == 0
        assert await client.reader.readexactly(8) == b"half of "
        client.writer.write(b"now")
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        assert "reset the connection" in (await one.outcome()).outcome


async def test_a_client_that_resets_in_the_middle() -> None:
    async with rig() as one, server(one.host, echo) as port, SocksClient(*one.address) as client:
        assert (await client.request(CONNECT, one.host, port))[0] == 0
        client.writer.write(b"x" * 5000)
        await client.reader.readexactly(100)
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
        served = await one.outcome()
        assert served.kind == "connect" and served.to_board == 5000 and served.from_board >= 100


async def test_a_client_that_closes_while_its_peer_never_does() -> None:
    async def answers_and_stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"answer")
        await asyncio.sleep(3600)

    async with rig() as one, server(one.host, answers_and_stays) as port:
        async with SocksClient(*one.address) as client:
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            client.writer.write(b"ask")
            assert await client.reader.readexactly(6) == b"answer"
        await until(lambda: one.board._slots.taken == 0, "free slot")


async def test_a_client_that_half_closes_still_gets_its_answer() -> None:
    async def when_told_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        await asyncio.sleep(1)
        writer.write(b"answer")
        await writer.drain()

    async with rig() as one, server(one.host, when_told_all) as port, SocksClient(*one.address) as client:
        assert (await client.request(CONNECT, one.host, port))[0] == 0
        client.writer.write(b"ask")
        client.writer.write_eof()
        assert await client.reader.read() == b"answer"


async def test_one_stalled_client_stalls_no_other() -> None:
    async def pours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(10_000))
            await writer.drain()

    data = Random(3).randbytes(40_000)
    async with rig() as one, server(one.host, pours) as flood, server(one.host, echo) as port:
        async with SocksClient(*one.address) as greedy, SocksClient(*one.address) as client:
            # It reads nothing more: what is poured fills every buffer on the way.
            assert (await greedy.request(CONNECT, one.host, flood))[0] == 0
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            client.writer.write(data)
            async with asyncio.timeout(PATIENCE):
                assert await client.reader.readexactly(len(data)) == data
            greedy.writer.transport.abort()


async def test_a_board_that_restarts_under_load() -> None:
    async with rig() as one, server(one.host, echo) as port:
        connected: list[str] = []

        async def load() -> str:
            async with SocksClient(*one.address) as client:
                try:
                    code = (await client.request(CONNECT, one.host, port))[0]
                    connected.append(client.name)
                    for _ in range(1000):
                        client.writer.write(b"x" * 500)
                        await client.reader.readexactly(500)
                except (OSError, asyncio.IncompleteReadError) as error:
                    return type(error).__name__
                return str(code)

        tasks = [asyncio.ensure_future(load()) for _ in range(12)]
        await until(lambda: len(connected) == 5, "full house")
        reset = asyncio.ensure_future(one.board.reset())
        await until(lambda: sum(task.done() for task in tasks) >= 5, "end of five connections")
        assert [task.result() for task in tasks if task.done()] == ["ConnectionResetError"] * 5
        await reset
        # Those that queued are connected by the board that is back.
        await until(lambda: len(connected) == 10, "full house again")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with SocksClient(*one.address) as client:
            assert (await client.request(CONNECT, one.host, port))[0] == 0
            client.writer.write(b"back")
            assert await client.reader.readexactly(4) == b"back"
