from __future__ import annotations

import asyncio
import functools
import gc
import weakref

import pytest

from bridge.errors import BoardReset, LinkTimeout, StaleHandle, UsageError
from bridge.mirror.callback import Callback
from bridge.mirror.handle import Remote
from bridge.mirror.lua import LuaObject
from bridge.mirror.table import COLLECT_AFTER, MOST_HELD, HandleTable
from bridge.mirror.tcp import TCPSocket
from bridge.wire.values import Handle
from tests.mirror.caller import FakeCaller, make_table, settle


def test_values_both_ways() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        one = Remote(table, Handle(1))
        caller.replies["f"] = (Handle(1), {b"k": [Handle(2), 3]}, b"bytes")
        same, mapping, text = await table.call("f", one, [one, {"k": one}], print, b"b", "s", 1.5, None)
        assert same is one and text == b"bytes"
        assert mapping[b"k"][0].number == 2 and mapping[b"k"][1] == 3
        ((target, values),) = caller.calls
        assert target == "f" and values[:2] == (Handle(1), [Handle(1), {"k": Handle(1)}])
        assert isinstance(values[2], Callback) and values[3:] == (b"b", "s", 1.5, None)

    asyncio.run(main())


def test_a_handle_is_given_back_as_often_as_it_came() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        remote = table.inward(Handle(1))
        assert table.inward([Handle(1), {b"k": Handle(1)}]) == [remote, {b"k": remote}]
        await remote.release()
        assert caller.released == [1, 1, 1] and 1 not in caller.receivers
        remote = table.inward(Handle(1))
        caller.released.clear()
        for _ in range(MOST_HELD):
            table.inward(Handle(1))
        assert len(caller.released) == MOST_HELD and 1 in caller.receivers, "two bytes must tell it"
        await remote.release()
        assert len(caller.released) == MOST_HELD + 1

    asyncio.run(main())


def test_a_handle_that_comes_before_the_one_before_is_let_go_has_another_holder() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        table.inward(Handle(1))  # nobody keeps it: its finaliser has run, and the loop has not
        remote = table.inward(Handle(1))
        await settle()
        assert caller.released == [1] and table.inward(Handle(1)) is remote and 1 in caller.receivers
        await remote.release()
        assert caller.released == [1, 1, 1] and 1 not in caller.receivers

    asyncio.run(main())


def test_the_generic_kind_of_handle() -> None:
    async def main() -> None:
        table = HandleTable(FakeCaller(), lambda error, where: None, LuaObject)
        assert type(table.inward(Handle(5))) is LuaObject

    asyncio.run(main())


def test_a_handle_of_another_boot_is_refused() -> None:
    async def main() -> None:
        caller, old, _ = make_table()
        _, new, _ = make_table()
        remote = Remote(old, Handle(1))
        with pytest.raises(StaleHandle, match="another boot"):
            await new.call("f", remote)
        old.fail(BoardReset(cause="power on"))
        with pytest.raises(BoardReset, match="power on"):
            await new.call("f", remote)
        with pytest.raises(BoardReset):
            await old.call("f")
        with pytest.raises(BoardReset):
            await old.run_lua("return 1")
        assert caller.calls == []

    asyncio.run(main())


def test_an_old_number_reaches_no_new_object() -> None:
    async def main() -> None:
        old_caller, old, _ = make_table()
        new_caller, new, _ = make_table()
        seen: list[str] = []

        class Thing(Remote):
            EVENTS = ("receive",)

        for table, name in ((old, "old"), (new, "new")):
            thing = Thing(table, Handle(1))
            thing.on("receive", lambda thing, data, name=name: seen.append(name))
            thing._set_in_use(True)
        old.fail(BoardReset())
        gc.collect()
        await settle()
        old_caller.event(1, "receive", b"late")
        assert seen == [] and old_caller.released == []
        new_caller.event(1, "receive", b"")
        assert seen == ["new"]

    asyncio.run(main())


def test_waiting_for_a_callback_ends_with_the_boot() -> None:
    async def main() -> None:
        _, table, _ = make_table()
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(table.wait(answer, 60, "an answer"))
        await settle()
        table.fail(BoardReset(cause="brown-out"))
        with pytest.raises(BoardReset, match="brown-out"):
            await waiting

    asyncio.run(main())


def test_waiting_for_a_callback_has_an_end() -> None:
    async def main() -> None:
        _, table, _ = make_table()
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with pytest.raises(LinkTimeout, match="an answer within 0.001 s"):
            await table.wait(answer, 0.001, "an answer")

    asyncio.run(main())


def test_ten_thousand_handles_leave_nothing() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        for number in range(1, 10_001):
            Remote(table, Handle(number % 60_000))
            if number % 1000 == 0:
                await settle()
        gc.collect()
        await settle()
        assert len(table) == 0 and len(caller.released) == 10_000 and caller.receivers == {}

    asyncio.run(main())


def test_sockets_in_circles_of_the_program_do_not_pile_up_on_the_board() -> None:
    async def main() -> None:
        caller, table, _ = make_table()

        class User:
            def __init__(self, number: int) -> None:
                self.socket = TCPSocket(table, Handle(number))
                self.socket.on("receive", self.receive)

            def receive(self, socket: TCPSocket, data: bytes) -> None:
                pass

        gc.disable()
        try:
            for number in range(1, 5 * COLLECT_AFTER):
                User(number)
                caller.event(number, "disconnection", 0)
                table.inward(Handle(number)).on("disconnection", None)
                await settle()
                assert len(table) <= 2 * COLLECT_AFTER
        finally:
            gc.enable()

    asyncio.run(main())


def test_closing_ends_handlers_that_still_run() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        ended = asyncio.Event()

        async def long(thing: Remote, data: bytes) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        class Thing(Remote):
            EVENTS = ("receive",)

        thing = Thing(table, Handle(1))
        thing.on("receive", long)
        caller.event(1, "receive", b"x")
        await settle()
        await table.close(BoardReset())
        assert ended.is_set()

    asyncio.run(main())


def test_a_boot_that_ends_in_silence_is_told_from_an_answer_that_does_not_come() -> None:
    async def main() -> None:
        _, table, _ = make_table()
        waiting = asyncio.ensure_future(table.wait(table.loop.create_future(), 30.0, "an address"))
        await settle()
        table.fail(LinkTimeout("The board has not answered for 6 s"))
        with pytest.raises(LinkTimeout, match="has not answered"):
            await waiting

    asyncio.run(main())


def test_a_boot_that_is_over_is_collected_though_a_handler_holds_an_object_of_it() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        remote = Remote(table, Handle(1))
        callback = table.outward(functools.partial(print, remote))  # Lua holds a function that holds a handle
        table.fail(BoardReset())
        gone = weakref.ref(table)
        del remote, callback, table, caller
        gc.collect()
        assert gone() is None

    asyncio.run(main())


@pytest.mark.parametrize("source", [None, 5, ["return 1"]])
def test_what_is_no_source_is_refused(source: object) -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        with pytest.raises(UsageError, match="no Lua source") as caught:
            await table.run_lua(source)  # type: ignore[arg-type]
        assert caught.value.remedy and caller.calls == []

    asyncio.run(main())
