"""The proxy as one of HTTP: CONNECT, and plain requests."""

from __future__ import annotations

import asyncio
import base64
from random import Random

import pytest

from bridge.proxy import Credentials, Limits
from tests.proxy.rig import rig, until
from tests.proxy.servers import echo, refused_port, server

SILENT = "192.0.2.1"
LOGIN = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:hunter2")


async def exchange(address: tuple[str, int], said: bytes, *, end: bool = False) -> bytes:
    """Everything that comes back."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(said)
        if end:
            writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


class Origin:
    """A server that keeps what it was asked, answers, and closes."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._keeps = keeps

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
            self.bodies.append(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            await writer.drain()
            if not self._keeps:
                return


async def test_a_tunnel_carries_bytes_of_any_kind() -> None:
    data = Random(1).randbytes(20_000)
    async with rig() as one, server(one.host, echo) as port:
        reader, writer = await asyncio.open_connection(*one.address)
        writer.write(b"CONNECT web.test:%d HTTP/1.1\r\nHost: web.test\r\n\r\n" % port + data[:100])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
        writer.write(data[100:])
        assert await reader.readexactly(len(data)) == data
        writer.close()
        served = await one.outcome()
        assert (served.kind, served.target, served.outcome) == ("tunnel", f"web.test:{port}", "served")


@pytest.mark.parametrize("size", [0, 1, 30_000])
async def test_a_plain_request_is_fetched(size: int) -> None:
    body, origin = Random(2).randbytes(size), Origin()
    async with rig() as one, server(one.host, origin) as port:
        said = b"POST http://web.test:%d/a?b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n\r\n"
        assert (await exchange(one.address, said % (port, size, LOGIN) + body)).endswith(b"\r\n\r\nhello")
        expected = b"POST /a?b HTTP/1.1\r\nHost: web.test:%d\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        assert (origin.heads, origin.bodies) == ([expected % (port, size)], [body])
        served = await one.outcome()
        assert (served.kind, served.to_board) == ("fetch", len(expected % (port, size)) + size)


async def test_a_second_request_does_not_go_to_the_first_ones_server() -> None:
    """It is meant for the proxy, and brings the proxy's password."""
    origin = Origin(keeps=True)
    async with rig() as one, server(one.host, origin) as port:
        said = b"GET http://web.test:%d/ HTTP/1.1\r\n%s\r\n\r\n" % (port, LOGIN)
        reader, writer = await asyncio.open_connection(*one.address)
        writer.write(said + said)
        await reader.readuntil(b"hello")
        writer.close()
        await one.outcome()
        assert len(origin.heads) == 1 and b"Basic" not in origin.heads[0]


TUNNEL, FETCH = b"CONNECT %s HTTP/1.1\r\n\r\n", b"GET http://%s/ HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    ("form", "target", "status"),
    [
        (TUNNEL, "refused", 502),
        (TUNNEL, f"{SILENT}:80", 504),
        (TUNNEL, "[2001:db8::1]:80", 502),
        (FETCH, "refused", 502),
        (FETCH, "nobody.test:80", 502),
    ],
)
async def test_why_there_is_no_connection(form: bytes, target: str, status: int) -> None:
    async with rig(limits=Limits(connect=10)) as one:
        if target == "refused":
            target = f"{one.host}:{refused_port(one.host)}"
        answer = await exchange(one.address, form % target.encode())
        assert answer.startswith(b"HTTP/1.1 %d " % status) and one.board.url.encode() not in answer


async def test_credentials() -> None:
    origin = Origin()
    async with rig(credentials=Credentials("me", "hunter2")) as one, server(one.host, origin) as port:
        said = b"GET http://web.test:%d/ HTTP/1.1\r\n%s\r\n\r\n"
        for login in (
            b"X: y",
            b"Proxy-Authorization: Basic " + base64.b64encode(b"me:wrong"),
            b"Proxy-Authorization: x",
        ):
            answer = await exchange(one.address, said % (port, login))
            assert answer.startswith(b"HTTP/1.1 407 ") and b"Proxy-Authenticate: Basic " in answer
        assert origin.heads == []
        assert (await exchange(one.address, said % (port, LOGIN))).endswith(b"hello")
        await one.outcome(4)
        assert "hunter2" not in str(one.served)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 431),
        (b"G" * 2_000_000, 431),
        (b"POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + bytes(300_000), 411),
    ],
)
async def test_what_is_refused_hears_why(said: bytes, status: int) -> None:
    async with rig() as one:
        assert (await exchange(one.address, said, end=True)).startswith(b"HTTP/1.1 %d " % status)


async def test_a_client_that_breaks_off_or_says_half_of_it() -> None:
    async with rig(limits=Limits(handshake=0.5)) as one:
        assert await exchange(one.address, b"CONNECT a", end=True) == b""
        with pytest.raises(ConnectionResetError):
            await exchange(one.address, b"CONNECT a:1 HTTP/1.1\r\n")
        assert [each.outcome for each in one.served] == ["the client has gone", "the client was too slow"]


async def test_a_client_that_vanishes_while_the_board_connects() -> None:
    async with rig() as one:
        _, writer = await asyncio.open_connection(*one.address)
        writer.write(b"CONNECT %s:80 HTTP/1.1\r\n\r\n" % SILENT.encode())
        await until(lambda: one.board._slots.taken == 1, "connection on its way")
        writer.close()
        assert (await one.outcome()).outcome == "the client has gone"
