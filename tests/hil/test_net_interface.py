"""The board's interface, who answers there, and the groups it is in."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE, udp_socket

GROUP = "239.77.3.1"


@pytest.mark.needs("net.ifinfo", "wifi")
async def test_the_interface_tells_its_addresses(board: Board) -> None:
    addresses = await board.eval("wifi.sta.getip()")
    if addresses is None:
        pytest.skip("the board has joined no network")
    info = await board.net.ifinfo()
    assert info is not None
    assert tuple(info[key].encode() for key in ("ip", "netmask", "gateway")) == addresses
    assert info["hwaddr"].hex(":").encode() == await board.eval("wifi.sta.getmac()")


async def test_a_group_is_heard_from_join_to_leave(board: Board, host: str, address: str) -> None:
    """What comes to the board's own address after a datagram to the group tells that the group's was not heard."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), udp_socket(host) as peer:
        option = socket.inet_aton(host)
        peer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, option)
        member = await board.net.createUDPSocket()
        member.on("receive", lambda _, data, port, ip: heard.put_nowait(data))
        await member.listen()
        port, _ = await member.getaddr()

        async def unheard(word: bytes) -> None:
            peer.send(word, (GROUP, port))
            await board.eval("1+1")
            peer.send(b"own", (address, port))
            assert await heard.get() == b"own"

        async def reaches_the_group(word: bytes) -> None:
            while True:  # over Wi-Fi nobody repeats what is sent to a group
                peer.send(word, (GROUP, port))
                with contextlib.suppress(TimeoutError):
                    assert await asyncio.wait_for(heard.get(), 3) == word
                    return

        await unheard(b"before")
        for interface in ("", "any", address):
            await board.net.multicastJoin(interface, GROUP)
            await reaches_the_group(b"between")
            await board.net.multicastLeave(interface, GROUP)
            await unheard(b"after")
        for work in (board.net.multicastJoin, board.net.multicastLeave):
            with pytest.raises(LuaError, match="invalid if ip"):
                await work("x", GROUP)
            with pytest.raises(LuaError, match="invalid multicast ip"):
                await work("any", "x")
        await member.close()
        await member.release()


@pytest.mark.needs("net.ping")
async def test_an_echo_comes_back_from_the_host(board: Board, host: str) -> None:
    answers: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    ends: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE):
        await board.net.ping(
            host, 2, lambda *values: answers.put_nowait(values), lambda *values: ends.put_nowait(values)
        )
        for _ in range(2):
            size, ip, number, milliseconds = await answers.get()
            assert (size, ip) == (32, host)
            assert isinstance(number, int) and isinstance(milliseconds, int) and milliseconds >= 0
        assert (await ends.get())[:4] == (host, 2, 0, 64)
        await board.net.ping(host, lambda *values: answers.put_nowait(values))
        assert (await answers.get())[:2] == (32, host)
