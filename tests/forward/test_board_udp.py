"""Datagrams from the network of a virtual board over RFC 2217 to this computer."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bridge.errors import PortBusy
from bridge.forward import open_forwards, remote
from tests.forward.peers import Datagrams, udp_served
from tests.forward.rig import Rig, nothing_left, on, opened


def test_each_client_gets_its_own_answers(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served("127.0.0.1", lambda data: b"re: " + data) as port:
            async with opened(board, remote(f"udp:5000:localhost:{port}")) as open_:
                address = open_.forwards[0].address
                assert address == (f"{board_rig.network}.2", 5000)
                assert open_.forwards[0].line == f"udp board {address[0]}:5000 → this computer → localhost:{port}"
                async with contextlib.AsyncExitStack() as stack:
                    clients = [await stack.enter_async_context(Datagrams.connected(address)) for _ in range(4)]
                    for number, client in enumerate(clients):
                        client.send(b"%d" % number)
                        client.send(b"x" * (1400 + number))
                    for number, client in enumerate(clients):
                        assert {await client.next(), await client.next()} == {
                            b"re: %d" % number, b"re: " + b"x" * (1400 + number)
                        }  # fmt: skip
                assert open_.told == []

    asyncio.run(scenario())


def test_answers_that_do_not_fit_wifi_are_told_once_and_lost(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served("127.0.0.1", lambda data: data * int(data)) as port:
            async with opened(board, remote(f"udp:0:127.0.0.1:{port}")) as open_:
                async with Datagrams.connected(open_.forwards[0].address) as client:
                    for question in (b"1473", b"2000", b"368"):
                        client.send(question)
                    assert len(await client.next()) == 3 * 368
                assert "is lost: Wi-Fi takes 1472" in "".join(open_.told) and len(open_.told) == 1

    asyncio.run(scenario())


def test_after_a_reset_the_same_port_is_listened_on_again(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, udp_served("127.0.0.1", lambda data: data) as port:
            async with opened(board, remote(f"udp:0:127.0.0.1:{port}")) as open_:
                address = open_.forwards[0].address
                async with Datagrams.connected(address) as client:
                    client.send(b"before")
                    assert await client.next() == b"before"
                    board_rig.press_reset()
                    await open_.heard("listens again")
                    assert open_.forwards[0].address == address
                    client.send(b"after")
                    assert await client.next() == b"after"

    asyncio.run(scenario())


def test_a_port_of_the_board_that_is_taken_opens_nothing(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, nothing_left(board):
            with pytest.raises(PortBusy, match="UDP port 5001 of the board is taken"):
                async with open_forwards(board, [remote("udp:5001:a:1"), remote("udp:5001:a:1")]):
                    pass

    asyncio.run(scenario())
