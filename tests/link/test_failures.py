"""What a link does when something goes wrong at one of its ends."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from bridge import agent
from bridge.errors import BoardReset, LinkError, LocalProtocolError, LuaError
from bridge.virtual import clock
from bridge.wire.messages import Event, EventCode
from bridge.wire.values import Handle
from tests.virtual_link import virtual_link, virtual_port


def test_who_calls_after_a_reset_hears_of_it() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            link._fail(BoardReset(cause="rst cause:2", port="virtual:"))
            for work in (link.call, link.run_lua):
                with pytest.raises(BoardReset, match="rst cause:2") as caught:
                    await work("node.heap")
                assert caught.value.cause == "rst cause:2" and caught.value.remedy

    clock.run(main())


def test_what_does_not_fit_the_wire_leaves_nothing_behind_on_the_board() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            assert (await link.call("node.heap"))[0] > 0
            with pytest.raises(LocalProtocolError, match="too long"):
                await link.run_lua("left = (left or 0) + 1 return nil", b"x" * 3000)
            with pytest.raises(LocalProtocolError, match="too long"):
                await link.call("string.rep", b"x" * 3000, 2)
            with pytest.raises(LocalProtocolError, match="too long"):
                link.post("string.reverse", b"x" * 3000)
            assert (await link.call("node.heap"))[0] > 0
            assert await link.call("string.rep", b"xy", 2) == (b"xyxy",)
            assert await link.call("string.reverse", b"xy") == (b"yx",)
            assert await link.run_lua("return left") in ((), (None,))

    clock.run(main())


def test_an_answer_that_does_not_fit_the_wire_takes_no_room_for_sent() -> None:
    async def main() -> None:
        async with virtual_link() as link:

            def answer() -> bytes:
                link.spare()  # sockets wait for heap
                return b"x" * 3000

            for _ in range(2):
                with pytest.raises(LuaError, match="too long for the link"):
                    await link.run_lua("local ask = ... return ask()", answer)
                assert await link.call("string.rep", b"xy", 2) == (b"xyxy",)

    clock.run(main())


def test_a_socket_that_came_too_late_is_closed_on_the_board() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            await link.call("@net.socket")  # the room is there from here on
            heaps = []
            for _ in range(5):
                for _ in range(4):
                    asked = asyncio.ensure_future(link.call("@net.socket"))
                    await asyncio.sleep(0.001)
                    asked.cancel()
                    await asyncio.sleep(0.5)
                    assert asked.cancelled()
                heaps.append((await link.run_lua("collectgarbage() collectgarbage() return node.heap()"))[0])
            # Each costs most of a kilobyte while the agent holds it.
            assert heaps[-1] >= heaps[1] - 500

    clock.run(main())


def test_a_closing_that_is_given_up_gives_the_port_back_all_the_same() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            link = await agent.start(port, rng=random.Random(1))
            closing = asyncio.ensure_future(link.close())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert isinstance(link.down, LinkError)
            assert port._receiver is None
            await agent.stop(port)  # the prompt can still be had

    clock.run(main())


def test_a_handler_that_raises_does_not_stop_the_pump(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with virtual_link() as link:

            def broken(*values: Any) -> None:
                raise ValueError("broken handler")

            link.on_console = link.on_fault = broken
            await link.run_lua("print('hello')")
            link.post("nothing.here")
            assert (await link.call("node.heap"))[0] > 0
            await asyncio.sleep(0.5)
            assert (await link.call("node.heap"))[0] > 0

    clock.run(main())
    assert [record.name for record in caplog.records] == ["bridge.link"] * len(caplog.records) != []


def test_a_client_accepted_for_a_server_that_was_let_go_is_let_go_too() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            posted: list[tuple[str, tuple[object, ...]]] = []
            link.post = lambda target, *values: posted.append((target, values))  # type: ignore[method-assign]
            link.release(Handle(5))
            link._message(Event(5, EventCode.ACCEPT, (9,)))
            assert posted == [("@release", (Handle(5),)), ("@release", (Handle(9),))]
            link._message(Event(5, EventCode.DISCONNECTION, (0,)))
            assert not link._receivers._early
            seen: list[str] = []
            link.subscribe(Handle(5), lambda name, values: seen.append(name))
            link._message(Event(5, EventCode.SENT, ()))
            assert seen == ["sent"]

    clock.run(main())
