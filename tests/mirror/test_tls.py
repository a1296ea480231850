from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from bridge.errors import AgentError, BoardOutOfMemory, BoardReset, HandleClosed, LuaError, UsageError
from bridge.mirror import tls as module
from bridge.mirror.table import HandleTable
from bridge.mirror.tls import MOST_KEPT, OVERFLOW, TLS, TLSSocket
from bridge.wire.messages import NO_ROOM
from bridge.wire.values import Handle, Value
from tests.mirror.caller import Errors, FakeCaller, make_table, settle


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROOM_PAUSE", 0.0)


Scenario = Callable[[FakeCaller, TLS, HandleTable, Errors], Awaitable[None]]


def on_tls(scenario: Scenario) -> None:
    async def main() -> None:
        caller, table, errors = make_table()
        numbers = iter(range(1, 100))

        async def tables() -> HandleTable:
            return table

        caller.replies = {
            "@tls.socket": lambda: (Handle(next(numbers)),), "@tls.room": (30_000,), "@tls.connect": (None,),
            "@tls.close": (False,),
        }  # fmt: skip
        await scenario(caller, TLS(tables), table, errors)
        assert errors.seen == []

    asyncio.run(main())


def noted(socket: TLSSocket) -> list[tuple[object, ...]]:
    seen: list[tuple[object, ...]] = []
    for event in TLSSocket.EVENTS:
        socket.on(event, lambda *values, event=event: seen.append((event, *values)))
    return seen


def test_events_have_the_documented_arguments() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        caller.event(1, "dns", b"1.2.3.4")
        caller.event(1, "connection")
        caller.event(1, "receive", b"data")
        caller.event(1, "sent")
        caller.event(1, "disconnection", None)
        caller.event(1, "reconnection", b"Connection reset")
        caller.event(1, "reconnection", None)
        caller.event(1, "dns", None)
        assert seen == [
            ("dns", socket, "1.2.3.4"), ("connection", socket), ("receive", socket, b"data"), ("sent", socket),
            ("disconnection", socket), ("reconnection", socket, "Connection reset"), ("reconnection", socket, None),
            ("dns", socket, None),
        ]  # fmt: skip
        caller.replies["@tls.getpeer"] = (b"10.0.0.1", 443)
        assert await socket.getpeer() == ("10.0.0.1", 443)
        caller.replies["@tls.getpeer"] = (None, None)
        assert await socket.getpeer() == (None, None)
        assert caller.grants == []

    on_tls(scenario)


def test_errors_are_no_disconnection() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen: list[object] = []
        socket.on("disconnection", seen.append)
        caller.event(1, "reconnection", b"Timeout")
        assert seen == []
        socket.on("reconnection", lambda *values: seen.append(values))
        await settle()
        assert seen == [(socket, "Timeout")], "kept for who asks later"

    on_tls(scenario)


def test_one_handshake_at_a_time() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        first, second = await tls.createConnection(), await tls.createConnection()
        await first.connect(443, "10.0.0.1")
        waiting = asyncio.ensure_future(second.connect(443, "10.0.0.2"))
        await settle()
        assert ("@tls.connect", (second.handle, 443, "10.0.0.2")) not in caller.calls
        caller.event(1, "dns", b"10.0.0.1")
        await settle()
        assert not waiting.done()
        caller.event(1, "connection")
        await waiting
        assert caller.calls[-1] == ("@tls.connect", (second.handle, 443, "10.0.0.2"))

    on_tls(scenario)


@pytest.mark.parametrize("end", ["dns", "reconnection", "disconnection", "release", "close", "reset"])
def test_whatever_ends_a_handshake_lets_the_next_one_begin(end: str) -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        first, second = await tls.createConnection(), await tls.createConnection()
        await first.connect(443, "host.test")
        waiting = asyncio.ensure_future(second.connect(443, "10.0.0.2"))
        await settle()
        if end == "release":
            await first.release()
            assert ("@tls.ease", ()) in caller.calls
        elif end == "close":
            await first.close()
        elif end == "reset":
            table.fail(BoardReset())
            with pytest.raises(BoardReset):
                await waiting
            return
        else:
            caller.event(1, end, None)
        await waiting
        assert not first.must_stay

    on_tls(scenario)


def test_too_little_heap_is_an_error_of_that_call_alone() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        made, caller.replies["@tls.room"] = caller.replies["@tls.room"], (18_432,)
        with pytest.raises(BoardOutOfMemory, match="needs 18 432 bytes of free heap on the board, which has 18 432"):
            await socket.connect(443, "10.0.0.1")
        assert [call for call in caller.calls if len(call[1]) > 1] == [], "nothing was begun"
        assert caller.calls[-1] == ("@tls.ease", ())
        assert not socket.must_stay
        caller.replies["@tls.room"] = made
        await socket.connect(443, "10.0.0.1")

    on_tls(scenario)


def test_what_the_module_says_comes_up() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        noted(socket)
        await socket.connect(443, "10.0.0.1")
        caller.event(1, "connection")

        def refuse(*_: Value) -> tuple[Value, ...]:
            raise LuaError("already connected")

        caller.replies["@tls.connect"] = refuse
        for _ in range(2):
            with pytest.raises(LuaError, match="already connected"):
                await socket.connect(443, "10.0.0.1")
        assert socket.must_stay, "the connection stands"

    on_tls(scenario)


@pytest.mark.parametrize(
    "arguments",
    [
        (65536,),
        (-1, "a"),
        (None, "a"),
        ("https", "a"),
        (443, None),
        (443, ""),
        (443, "a\0b"),
        (443, print),
        (True, "a"),
    ],
)
def test_wrong_arguments_reach_no_board(arguments: tuple[object, ...]) -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        with pytest.raises(UsageError):
            await socket.connect(*arguments)  # type: ignore[arg-type]
        assert len(caller.calls) == 1

    on_tls(scenario)


def test_silence_ends_in_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", 0.0)

    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        told = asyncio.Event()
        socket.on("reconnection", lambda *values: (seen.append(("reconnection", *values)), told.set()))
        await socket.connect(443, "10.0.0.1")
        await told.wait()
        assert seen == [("reconnection", socket, "Timeout")]
        assert caller.calls[-1] == ("@tls.close", (socket.handle,))
        caller.event(1, "disconnection", None)
        assert len(seen) == 1, "the end of what was given up is nobody's business"
        caller.event(1, "connection")
        assert seen[-1] == ("connection", socket)

    on_tls(scenario)


def test_a_socket_that_was_closed_while_its_name_was_looked_up_does_not_connect() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        await socket.connect(443, "host.test")
        await socket.close()
        assert not socket.must_stay
        caller.event(1, "dns", b"10.0.0.1")
        caller.event(1, "connection")
        assert caller.calls[-1] == ("@tls.close", (socket.handle,)) and seen == []
        caller.event(1, "disconnection", None)
        await socket.connect(443, "host.test")
        caller.event(1, "dns", b"10.0.0.1")
        assert seen == [("dns", socket, "10.0.0.1")]

    on_tls(scenario)


def test_held_data_waits_in_order_and_what_is_too_much_ends_the_connection() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        await socket.hold()
        caller.event(1, "connection")
        caller.event(1, "receive", b"one")
        caller.event(1, "sent")
        assert seen == [("connection", socket)]
        await socket.unhold()
        assert seen[1:] == [("receive", socket, b"one"), ("sent", socket)]
        await socket.hold()
        count = MOST_KEPT // 1460 + 1
        for _ in range(count + 5):
            caller.event(1, "receive", bytes(1460))
        assert caller.calls[-1] == ("@tls.close", (socket.handle,))
        caller.event(1, "disconnection", None)
        await socket.unhold()
        assert [name for name, *_ in seen[3:]] == ["receive"] * count + ["reconnection"]
        assert seen[-1] == ("reconnection", socket, OVERFLOW)

    on_tls(scenario)


def test_what_handlers_took_is_not_counted() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        for _ in range(200):
            caller.event(1, "receive", bytes(1000))
        assert len(seen) == 200 and len(caller.calls) == 1

    on_tls(scenario)


def test_the_agents_own_end_is_one_event() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        seen = noted(socket)
        caller.event(1, "reconnection", NO_ROOM)
        caller.event(1, "disconnection", None)
        assert seen == [("reconnection", socket, OVERFLOW)]

    on_tls(scenario)


def test_data_goes_in_pieces_that_the_module_keeps() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        socket = await tls.createConnection()
        await socket.send(bytes(2_500))
        assert [len(values[1]) for target, values in caller.calls if target == "@tls.send"] == [1000, 1000, 500]
        with pytest.raises(UsageError, match="no data to send"):
            await socket.send(b"")
        await socket.release()
        for work in (socket.send(b"x"), socket.hold(), socket.connect(443, "10.0.0.1"), socket.close()):
            with pytest.raises(HandleClosed):
                await work

    on_tls(scenario)


def test_a_closing_socket_stays_until_it_is_closed() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        seen: list[object] = []

        async def use() -> None:
            socket = await tls.createConnection()
            socket.on("disconnection", lambda socket: seen.append("end"))
            await socket.connect(443, "10.0.0.1")
            caller.event(1, "connection")
            caller.replies["@tls.close"] = (True,)
            await socket.close()

        await use()
        gc.collect()
        await settle()
        assert caller.released == []
        caller.event(1, "disconnection", None)
        gc.collect()
        await settle()
        assert seen == ["end"] and caller.released == [1]

    on_tls(scenario)


def test_debugging() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        caller.replies["lua"] = (1,)
        await tls.setDebug(3)
        assert caller.calls[-1][1][1:] == (3,)
        caller.replies["lua"] = (0,)
        with pytest.raises(AgentError, match="without tls.setDebug"):
            await tls.setDebug(3)
        with pytest.raises(UsageError):
            await tls.setDebug(1.5)  # type: ignore[arg-type]

    on_tls(scenario)


def test_a_firmware_without_it() -> None:
    async def scenario(caller: FakeCaller, tls: TLS, table: HandleTable, errors: Errors) -> None:
        caller.replies["@tls.socket"] = ()
        for work in (tls.createConnection(), tls.setDebug(1)):
            with pytest.raises(AgentError, match="no module tls.*Flash an image"):
                await work

    on_tls(scenario)
