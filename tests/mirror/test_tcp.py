from __future__ import annotations

import asyncio
import gc

import pytest

from bridge.errors import LuaError, UsageError
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.mirror.udp import UDPSocket
from bridge.wire.messages import EVENT_COST, MAX_CHUNK
from bridge.wire.values import Handle, Value
from tests.mirror.caller import make_table, settle


def test_long_data_is_cut_in_order_with_few_calls_at_once() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        flying = most = 0
        accepted = bytearray()

        async def take(handle: Handle, chunk: bytes) -> tuple[()]:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0)
            accepted.extend(chunk)
            flying -= 1
            return ()

        caller.replies["@net.send"] = take
        data = bytes(range(256)) * 40
        await socket.send(data)
        assert bytes(accepted) == data and most == TCPSocket.IN_FLIGHT
        assert max(len(values[1]) for _, values in caller.calls) == MAX_CHUNK

    asyncio.run(main())


def test_sends_of_several_tasks_leave_whole_and_in_order() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        texts = [bytes([number]) * (MAX_CHUNK + number) for number in range(1, 101)]
        await asyncio.gather(*(socket.send(text) for text in texts))
        assert b"".join(values[1] for _, values in caller.calls) == b"".join(texts)

    asyncio.run(main())


def test_what_the_stack_says_comes_up() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        caller.replies["@net.send"] = LuaError("not connected")
        for data in (b"x", b"x" * 9999):
            with pytest.raises(LuaError, match="not connected"):
                await socket.send(data)
        caller.replies["@net.send"] = ()
        await socket.send("grün", lambda socket: None)
        assert caller.calls[-1] == ("@net.send", (Handle(1), "grün".encode()))

    asyncio.run(main())


def test_addresses_ttl_and_the_rest() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        caller.replies = {":getpeer": (80, b"10.0.0.1"), ":getaddr": (None, None), ":ttl": (255,)}
        assert await socket.getpeer() == (80, "10.0.0.1")
        assert await socket.getaddr() == (None, None)
        assert await socket.ttl() == 255
        await socket.ttl(1)
        await socket.hold()
        await socket.unhold()
        await socket.dns("host.test", lambda socket, ip: None)
        await socket.connect(80, "host.test", lambda socket: None)
        await socket.close()
        assert [(target, *values[1:]) for target, values in caller.calls[2:]] == [
            (":ttl",), (":ttl", 1), (":dns", "host.test"),
            ("@net.connect", 80, "host.test"), ("@net.close",),
        ]  # fmt: skip

    asyncio.run(main())


def test_events_have_the_documented_arguments() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        seen: list[tuple[object, ...]] = []
        for event in TCPSocket.EVENTS:
            socket.on(event, lambda *values, event=event: seen.append((event, *values)))
        caller.event(1, "dns", b"1.2.3.4")
        caller.event(1, "dns", None)
        caller.event(1, "connection")
        caller.event(1, "receive", b"data")
        caller.event(1, "sent")
        caller.event(1, "disconnection", 0)
        caller.event(1, "reconnection", -9)
        assert seen == [
            ("dns", socket, "1.2.3.4"), ("dns", socket, None), ("connection", socket), ("receive", socket, b"data"),
            ("sent", socket), ("disconnection", socket, 0), ("reconnection", socket, -9),
        ]  # fmt: skip

    asyncio.run(main())


def test_a_held_socket_gets_its_credit_when_it_is_let_go() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        socket.on("receive", lambda socket, data: None)
        await socket.hold()
        for _ in range(4):
            caller.event(1, "receive", bytes(1460))
        assert caller.grants == []
        await socket.unhold()
        assert caller.grants == [(1, 4 * (1460 + EVENT_COST))]

    asyncio.run(main())


def test_a_connecting_socket_with_handlers_lives_until_it_ends() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        seen: list[bytes] = []

        async def use() -> None:
            socket = TCPSocket(table, Handle(1))
            socket.on("receive", lambda socket, data: seen.append(data))
            await socket.connect(80, "10.0.0.1")

        await use()
        gc.collect()
        await settle()
        caller.event(1, "receive", b"x")
        assert seen == [b"x"] and caller.released == []
        caller.event(1, "disconnection", 0)
        gc.collect()
        await settle()
        assert caller.released == [1]

    asyncio.run(main())


def test_a_connect_that_raises_leaves_nothing() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        caller.replies["@net.connect"] = LuaError("specify port")
        socket = TCPSocket(table, Handle(1))
        socket.on("receive", print)
        with pytest.raises(LuaError):
            await socket.connect(0)
        assert not socket.must_stay

    asyncio.run(main())


def test_a_call_that_fails_leaves_the_handler_that_was_there() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        seen: list[object] = []
        for target, event, work in (
            (":dns", "dns", lambda: socket.dns({}, print)),  # type: ignore[arg-type]
            ("@net.connect", "connection", lambda: socket.connect(80, "10.0.0.1", print)),
        ):
            caller.replies[target] = LuaError("illegal argument")
            socket.on(event, lambda socket, *values: seen.append(values))
            with pytest.raises(LuaError):
                await work()
            caller.event(1, event)
        assert seen == [(None,), ()]

    asyncio.run(main())


def test_what_is_no_data_or_no_function_is_shown_to_the_board() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        await socket.send(5)  # type: ignore[arg-type]
        assert caller.calls[-1] == (":send", (Handle(1), 5))
        await socket.send(b"")  # the agent's own send would try again and again, as if there were no room
        assert caller.calls[-1] == (":send", (Handle(1), b""))
        caller.replies[":send"] = LuaError("bad argument #1 to 'send' (string expected, got nil)")
        with pytest.raises(LuaError, match="string expected, got nil"):
            await socket.send(None)  # type: ignore[arg-type]
        caller.replies[":connect"] = LuaError("bad argument #3 to 'connect' (not a function)")
        with pytest.raises(LuaError, match="not a function"):
            await socket.connect(80, "10.0.0.1", 5)  # type: ignore[arg-type]

    asyncio.run(main())


def test_listen_as_in_lua() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        server = TCPServer(table, Handle(1))
        await server.listen(print)
        await server.listen(80, print)
        await server.listen(80, "127.0.0.2", print)
        await server.listen(None, None, print)
        await server.listen("127.0.0.2", print)
        await server.listen("80", print)
        assert [values[1:] for _, values in caller.calls] == [
            (0, None), (80, None), (80, "127.0.0.2"), (0, None), (0, "127.0.0.2"), (80, None),
        ]  # fmt: skip
        for wrong in ((), (80,), (80, "127.0.0.2"), (print, 80)):
            with pytest.raises(UsageError, match="need callback"):
                await server.listen(*wrong)  # type: ignore[arg-type]
        caller.replies[":listen"] = LuaError("already listening")
        with pytest.raises(LuaError, match="already listening"):
            await server.listen(80)
        caller.replies[":getaddr"] = (80, b"0.0.0.0")
        assert await server.getaddr() == (80, "0.0.0.0")
        await server.close()

    asyncio.run(main())


def test_accepted_sockets_lose_nothing_and_a_slow_callback_holds_nobody_up() -> None:
    async def main() -> None:
        caller, table, errors = make_table()
        server = TCPServer(table, Handle(1))
        gate = asyncio.Event()
        seen: list[object] = []

        async def client(socket: TCPSocket) -> None:
            seen.append(socket.number)
            if socket.number == 2:
                await gate.wait()
            socket.on("receive", lambda socket, data: seen.append(data))
            if socket.number == 3:
                raise RuntimeError("three")

        await server.listen(80, client)
        caller.event(2, "receive", b"two")  # before the host even knows the socket
        caller.event(1, "accept", Handle(2))
        caller.event(1, "accept", Handle(3))
        caller.event(3, "receive", b"three")
        await settle()
        assert seen == [2, 3, b"three"]
        gate.set()
        await settle()
        assert seen == [2, 3, b"three", b"two"]
        ((error, where),) = errors.seen
        assert str(error) == "three" and "TCPServer #1" in where

    asyncio.run(main())


def test_a_connect_in_vain_does_not_let_a_standing_connection_go() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1), accepted=True)
        socket.on("receive", lambda socket, data: None)
        caller.replies["@net.connect"] = LuaError("already connected")
        with pytest.raises(LuaError, match="already connected"):
            await socket.connect(80, "10.0.0.1")
        assert socket.must_stay

    asyncio.run(main())


def test_a_server_that_listens_already_goes_on_as_before() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        server = TCPServer(table, Handle(1))
        first: list[object] = []
        second: list[object] = []
        await server.listen(80, first.append)
        caller.replies["@net.listen"] = LuaError("already listening")
        with pytest.raises(LuaError, match="already listening"):
            await server.listen(81, second.append)
        caller.event(1, "accept", Handle(2))
        await settle()
        assert len(first) == 1 and not second
        del server
        gc.collect()
        await settle()
        assert 1 not in caller.released

    asyncio.run(main())


@pytest.mark.parametrize(
    "arguments", [([],), (80, 5), (80.5,), (None, b"10.0.0.1"), (65536,), (-1,), (True,), (80, ""), (80, "10.0.0.1\0")]
)
def test_what_is_no_port_or_address_is_refused(arguments: tuple[object, ...]) -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        server = TCPServer(table, Handle(1))
        with pytest.raises(UsageError, match="no port|no address|NUL"):
            await server.listen(*arguments, lambda socket: None)  # type: ignore[arg-type]
        assert caller.calls == []

    asyncio.run(main())


def test_wrong_arguments_change_nothing() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        socket = TCPSocket(table, Handle(1))
        socket.on("connection", print)
        for work in (
            socket.connect(65616, "10.0.0.1", max), socket.connect(80, "10.0.0.1\0", max),
            socket.connect(80, max), socket.connect(80.5), socket.dns("a\0b"), socket.ttl(256), socket.ttl(-2),
            socket.send("\ud800"),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                await work
        assert caller.calls == [] and socket._handlers == {"connection": print} and not socket.must_stay
        caller.replies["@net.connect"] = LuaError("already connected")
        for handler in (max, print):
            with pytest.raises(LuaError):
                await socket.connect(80, "10.0.0.1", handler)
        assert socket._handlers == {"connection": print}

    asyncio.run(main())


@pytest.mark.parametrize("kind", [TCPSocket, TCPServer, UDPSocket])
def test_a_close_that_was_cancelled_leaves_nothing_behind(kind: type[TCPSocket | TCPServer | UDPSocket]) -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        for target in ("@net.close", ":close"):
            caller.replies[target] = lambda *values: asyncio.sleep(10, ())
        thing = kind(table, Handle(1))
        if isinstance(thing, TCPServer):
            await thing.listen(80, lambda socket: None)
        elif isinstance(thing, UDPSocket):
            thing.on("receive", lambda *values: None)
            await thing.listen(80)
        else:
            thing.on("receive", lambda *values: None)
            await thing.connect(80, "10.0.0.1")
        closing = asyncio.create_task(thing.close())
        await settle()
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        del thing, closing
        await settle()
        gc.collect()
        await settle()
        assert caller.released == [1]

    asyncio.run(main())


def test_a_close_that_was_cancelled_ends_no_send_of_another_task() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        room = asyncio.Event()

        async def slow() -> tuple[Value, ...]:
            await room.wait()
            return ()

        caller.replies["@net.send"] = lambda *values: slow()
        socket = TCPSocket(table, Handle(1))
        sending = asyncio.create_task(socket.send(b"x"))
        await settle()
        closing = asyncio.create_task(socket.close())
        await settle()
        closing.cancel()
        await settle()
        room.set()
        await sending
        assert closing.cancelled()

    asyncio.run(main())
