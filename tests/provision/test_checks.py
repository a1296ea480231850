from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import AgentError, ConnectionLost, NetError
from bridge.image import check_image
from bridge.opening import open_board
from bridge.ports.open import open_port
from bridge.provision.checks import check_connect, check_firmware
from bridge.provision.model import Connect
from tests.images import image, parts
from tests.provision.plans import LOOK

BOARD = "virtual:?baud_pacing=0&cpu=0&flash=0&modules=file,net,node,ow,tmr,uart,wifi"


def test_the_firmware_that_runs() -> None:
    facts = check_image(parts(image("file,net,node,tmr,uart")))
    look = replace(LOOK, modules=frozenset(facts.modules))
    assert check_firmware(look, facts, "x") == "node.info: NodeMCU 3.0.0"
    with pytest.raises(AgentError, match="lacks tmr, uart"):
        check_firmware(replace(look, modules=frozenset({"file", "net", "node"})), facts, "x")
    with pytest.raises(AgentError, match="is 2.2.1, not 3.0.0"):
        check_firmware(replace(look, version="2.2.1"), facts, "x")


def test_a_host_that_answers_refuses_and_is_silent_and_nothing_is_left_on_the_board() -> None:
    async def scenario() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        tcp_port = server.sockets[0].getsockname()[1]
        port = await open_port(BOARD)
        heaps = []
        for _ in range(3):
            async with open_board(port) as board:
                heaps.append(await board.node.heap())
                said = await check_connect(board, Connect(host="127.0.0.1", tcp_port=tcp_port, seconds=20))
                assert said == f"connect: 127.0.0.1:{tcp_port}"
        assert heaps[-1] > heaps[0] - 4000
        server.close()
        await server.wait_closed()
        async with open_board(port) as board:
            with pytest.raises(ConnectionLost, match=f"127.0.0.1:{tcp_port} could not be reached"):
                await check_connect(board, Connect(host="127.0.0.1", tcp_port=tcp_port, seconds=20))
            with pytest.raises(NetError, match="did not answer within 0.2 s"):
                await check_connect(board, Connect(host="10.255.255.1", tcp_port=80, seconds=0.2))
        await port.close()

    asyncio.run(scenario())
