"""How an association deals with floods, on the real socket of a board; conversations are in test_associate.py."""

from __future__ import annotations

import asyncio

import pytest

from bridge.proxy.association import MOST_NAMES, MOST_WAITING, Association
from bridge.proxy.serving import Served
from tests.proxy.rig import rig, until
from tests.proxy.servers import datagram_server
from tests.proxy.socks_client import address_bytes

CLIENT = ("127.0.0.1", 5000)


def datagram(host: str, port: int, data: bytes = b"data") -> bytes:
    return b"\0\0\0" + address_bytes(host, port) + data


async def test_more_than_the_line_carries_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one, datagram_server(one.host) as port:
        udp = await one.board.net.createUDPSocket()
        await udp.listen()
        served = Served("a client", "udp")
        made = Association(one.proxy._service, udp, CLIENT[0], 0, served)
        for _ in range(MOST_WAITING + 10):
            made.datagram_received(datagram(one.host, port), CLIENT)
        assert [record.getMessage() for record in caplog.records] == [
            "a client: a datagram was dropped: more comes than the line carries"
        ]
        pump = asyncio.ensure_future(made.pump())
        await until(lambda: served.to_board == 4 * MOST_WAITING, "end of what waited")
        pump.cancel()
        await asyncio.wait([pump])
        await made.end()
        await udp.release()


async def test_names_without_end_are_dropped_and_those_asked_for_end_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one:
        udp = await one.board.net.createUDPSocket()
        made = Association(one.proxy._service, udp, CLIENT[0], 0, Served("a client", "udp"))
        for number in range(MOST_NAMES + 5):
            made.datagram_received(datagram(f"nobody{number}.test", 53), CLIENT)
        assert "too many names" in caplog.text
        await made.end()
        await udp.release()


async def test_a_datagram_that_the_stack_refuses_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as one, datagram_server(one.host) as port:
        udp = await one.board.net.createUDPSocket()
        await udp.listen()
        served = Served("a client", "udp")
        made = Association(one.proxy._service, udp, CLIENT[0], 0, served)
        pump = asyncio.ensure_future(made.pump())
        made.datagram_received(datagram("0.0.0.0", port), CLIENT)
        made.datagram_received(datagram(one.host, port), CLIENT)
        await until(lambda: served.to_board > 0, "datagram that left")
        assert not pump.done()
        pump.cancel()
        await asyncio.wait([pump])
        await made.end()
        await udp.release()
