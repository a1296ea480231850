"""Connections of the board for clients; whole conversations are in test_by_socks.py and test_by_http.py."""

from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.proxy.client import ClientGone
from bridge.proxy.connect import abandon, connect
from bridge.proxy.serving import Unreached
from tests.proxy.rig import rig, until
from tests.proxy.servers import echo, server
from tests.proxy.test_client import joined


async def test_a_connection_is_made_and_let_go() -> None:
    async with rig() as one, server(one.host, echo) as port, joined() as (client, _, _):
        stream = await connect(one.proxy._service, client, "web.test", port)
        assert one.board._slots.taken == 1
        abandon(stream)
        await until(lambda: one.board._slots.taken == 0, "free slot")


@pytest.mark.parametrize("tcp_port", [0, 65_536])
async def test_a_port_that_is_none_costs_the_board_nothing(tcp_port: int) -> None:
    async with rig() as one, joined() as (client, _, _):
        with pytest.raises(Unreached) as failed:
            await connect(one.proxy._service, client, "web.test", tcp_port)
        assert isinstance(failed.value.cause, UsageError)


async def test_for_a_client_that_has_gone_nothing_is_kept() -> None:
    async with rig() as one, server(one.host, echo) as port, joined() as (client, _, writer):
        writer.close()
        await client.gone.wait()
        with pytest.raises(ClientGone):
            await connect(one.proxy._service, client, one.host, port)
        await until(lambda: one.board._slots.taken == 0, "free slot")
