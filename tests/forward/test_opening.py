"""Several forwards together."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import BridgeError, PortBusy, PortLost
from bridge.forward import local, open_forwards, remote
from tests.forward.peers import Datagrams, ask, echo, served, udp_served
from tests.forward.rig import PATIENCE, Rig, nothing_left, on, opened, rig
from tests.heap_baseline import heap_comes_back


def test_several_at_once_in_the_order_of_asking(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with (
            on(board_rig) as board, served(board_rig.host, echo) as far, served("127.0.0.1", echo) as near,
            udp_served(board_rig.host, bytes.upper) as datagrams,
        ):  # fmt: skip
            wanted = [remote(f"0:127.0.0.1:{near}"), local(f"0:{board_rig.host}:{far}"),
                      local(f"udp:0:{board_rig.host}:{datagrams}")]  # fmt: skip
            async with opened(board, *wanted) as open_:
                assert [each.forward for each in open_.forwards] == wanted and len(open_.forwards) == 3
                first, second, third = (each.address for each in open_.forwards)
                answers = await asyncio.gather(ask(first, b"in", 2), ask(second, b"out", 3))
                assert answers == [b"in", b"out"]
                async with Datagrams.connected(third) as client:
                    client.send(b"shout")
                    assert await client.next() == b"SHOUT"

    asyncio.run(scenario())


def test_the_heap_of_the_board_comes_back(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with (
            on(board_rig, 4 * PATIENCE) as board,
            served(board_rig.host, echo) as far, served("127.0.0.1", echo) as near,
            udp_served(board_rig.host, bytes.upper) as datagrams, udp_served("127.0.0.1", bytes.upper) as here,
        ):  # fmt: skip
            wanted = [remote(f"0:127.0.0.1:{near}"), local(f"0:{board_rig.host}:{far}"),
                      local(f"udp:0:{board_rig.host}:{datagrams}"), remote(f"udp:5000:127.0.0.1:{here}")]  # fmt: skip

            async def once() -> None:
                async with opened(board, *wanted) as open_:
                    for forward in open_.forwards[:2]:
                        assert await ask(forward.address, bytes(3_000), 3_000) == bytes(3_000)
                    for forward in open_.forwards[2:]:
                        async with Datagrams.connected(forward.address) as client:
                            client.send(b"shout")
                            assert await client.next() == b"SHOUT"

            await heap_comes_back(board, once)

    asyncio.run(scenario())


def test_what_fails_last_closes_what_was_opened_first(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, nothing_left(board):
            wanted = [remote("8124:a:1"), local("0:a:1"), remote("udp:8124:a:1"), remote("8124:b:1")]
            with pytest.raises(PortBusy):
                async with open_forwards(board, wanted):
                    pass
            async with open_forwards(board, wanted[:3]):
                pass

    asyncio.run(scenario())


def test_the_end_of_the_board_is_told() -> None:
    async def scenario(made: Rig) -> None:
        async with on(made) as board:
            async with open_forwards(board, [local("0:a:1"), remote("0:a:1")]) as forwards:
                serving = asyncio.ensure_future(forwards.serve_forever())
                made.unplug()
                with pytest.raises(BridgeError) as raised:
                    await asyncio.wait_for(serving, 60)
                assert isinstance(raised.value, PortLost)

    with rig() as made:
        asyncio.run(scenario(made))


def test_serving_ends_when_it_is_cancelled(board_rig: Rig) -> None:
    async def scenario() -> None:
        async with on(board_rig) as board, opened(board, local("0:a:1")) as open_:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await open_.forwards.serve_forever()

    asyncio.run(scenario())
