"""Names, and who is asked for them."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError
from tests.hil.conftest import Board
from tests.hil.peers import PATIENCE


async def test_servers_are_set_and_told(board: Board) -> None:
    dns = board.net.dns
    before = await dns.getdnsserver(0)
    second = await dns.getdnsserver(1)
    assert await dns.getdnsserver() == before, "the first is meant when none is named"
    try:
        await dns.setdnsserver("192.0.2.1", 1)
        assert (await dns.getdnsserver(0), await dns.getdnsserver(1)) == (before, "192.0.2.1")
        await dns.setdnsserver("192.0.2.2")
        assert (await dns.getdnsserver(0), await dns.getdnsserver(1)) == ("192.0.2.2", "192.0.2.1")
        with pytest.raises(LuaError, match="invalid dns server ip"):
            await dns.setdnsserver("nonsense")
        for work in (dns.getdnsserver(2), dns.setdnsserver("192.0.2.1", 2)):
            with pytest.raises(LuaError, match="server index out of range"):
                await work
    finally:
        if before is not None:
            await dns.setdnsserver(before, 0)
        if second is not None:
            await dns.setdnsserver(second, 1)


async def test_an_address_is_resolved_without_a_server(board: Board, host: str) -> None:
    found: asyncio.Queue[tuple[object, str | None]] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE):
        assert await board.net.dns.resolve(host) == host
        assert await board.net.dns.resolve(host, lambda socket, ip: found.put_nowait((socket, ip))) is None
        assert await found.get() == (None, host)
