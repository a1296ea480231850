from __future__ import annotations

import asyncio

import pytest

from bridge.errors import UsageError
from bridge.mirror.udp import UDPSocket
from bridge.wire.values import Handle
from tests.mirror.caller import make_table


def test_calls_and_events() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = UDPSocket(table, Handle(1))
        caller.replies = {":getaddr": (5000, b"0.0.0.0"), ":ttl": (64,)}
        await socket.listen()
        await socket.listen(5000, "127.0.0.2")
        await socket.send(53, "10.0.0.1", "q")
        assert await socket.getaddr() == (5000, "0.0.0.0")
        assert await socket.ttl(64) == 64
        await socket.dns("host.test")
        assert [(target, *values[1:]) for target, values in caller.calls] == [
            (":listen", 0, "0.0.0.0"), (":listen", 5000, "127.0.0.2"), (":send", 53, "10.0.0.1", b"q"),
            (":getaddr",), (":ttl", 64), (":dns", "host.test"),
        ]  # fmt: skip
        seen: list[tuple[object, ...]] = []
        socket.on("receive", lambda *values: seen.append(values))
        socket.on("dns", lambda *values: seen.append(values))
        await socket.send(53, "10.0.0.1", b"q", lambda *values: seen.append(values))
        caller.event(1, "receive", b"data", 53, b"10.0.0.1")
        caller.event(1, "sent")
        caller.event(1, "dns", b"1.2.3.4")
        assert seen == [(socket, b"data", 53, "10.0.0.1"), (socket,), (socket, "1.2.3.4")]
        assert socket.must_stay
        await socket.close()
        assert not socket.must_stay

    asyncio.run(main())


def test_listen_as_in_lua() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = UDPSocket(table, Handle(1))
        await socket.listen(5000)
        await socket.listen("127.0.0.2")
        assert [values[1:] for _, values in caller.calls] == [(5000, "0.0.0.0"), (0, "127.0.0.2")]

    asyncio.run(main())


def test_wrong_arguments_reach_no_board() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = UDPSocket(table, Handle(1))
        for work in (
            socket.listen(65536), socket.listen(80, "a\0"), socket.send(-1, "10.0.0.1", b"x"),
            socket.send(53, "10.0.0.1\0", b"x"), socket.send(53, "10.0.0.1", bytes(3_000)),
            socket.dns("a\0"), socket.ttl(256),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                await work
        assert caller.calls == [] and not socket.must_stay

    asyncio.run(main())
