import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BoardOutOfMemory, LinkError, LuaError
from bridge.link.calls import CallTable, PendingCall, lua_text
from bridge.wire.messages import Failure, Reply
from bridge.wire.values import Handle, Opaque


def table(released: list[Handle] | None = None, room: list[bool] | None = None) -> CallTable:
    return CallTable("port", lambda: room is None or room[0], (released if released is not None else []).append)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_reply_reaches_its_call_and_an_error_raises() -> None:
    async def main() -> None:
        calls = table()
        one, two, three = [await calls.begin(name) for name in ("one", "two", "three")]
        assert len({one.call_id, two.call_id, three.call_id}) == 3 == len(calls)
        calls.answered(Failure(two.call_id, (b"boom",)))
        calls.answered(Reply(one.call_id, (1, b"x")))
        calls.answered(Failure(three.call_id, (b"lua:1: not enough memory",)))
        assert await one.future == (1, b"x")
        with pytest.raises(LuaError, match="boom"):
            await two.future
        with pytest.raises(BoardOutOfMemory):
            await three.future
        assert calls.answered(Reply(one.call_id)) is None

    asyncio.run(main())


def test_more_calls_than_numbers_wait_for_one_each() -> None:
    async def main() -> None:
        calls = table()
        first = [await calls.begin("first") for _ in range(255)]
        late = [asyncio.create_task(calls.begin(f"late {n}")) for n in range(3)]
        await settle()
        # One number becomes free, and the link asks twice whether somebody may begin now.
        calls.answered(Reply(first[0].call_id))
        calls.admit()
        await settle()
        assert [task.done() for task in late] == [True, False, False]
        # A newcomer does not overtake those that wait.
        calls.answered(Reply(first[1].call_id))
        newcomer = asyncio.create_task(calls.begin("newcomer"))
        await settle()
        assert late[1].done() and not late[2].done() and not newcomer.done()
        for call in first[2:5]:
            calls.answered(Reply(call.call_id))
        await settle()
        assert [call.target for call in [late[2].result(), newcomer.result()]] == ["late 2", "newcomer"]
        numbers = [task.result().call_id for task in (*late, newcomer)]
        assert len(set(numbers)) == 4

    asyncio.run(main())


@pytest.mark.parametrize("busy", [254, 255], ids=["room for one more", "no room"])
def test_who_comes_when_a_turn_was_just_given_does_not_send_first(busy: int) -> None:
    """Chunks of one `send` are calls of their own: the second went on before the first knew of its turn."""

    async def main() -> None:
        calls = table(room=room)
        first = [await calls.begin("first") for _ in range(busy)]
        room[0] = False
        order: list[str] = []

        async def send(name: str) -> None:
            await calls.begin(name)
            order.append(name)

        tasks = [asyncio.create_task(send("one"))]
        await settle()
        # It begins to run before the first one does, which is woken after it.
        tasks += [asyncio.create_task(send("two")), asyncio.create_task(send("three"))]
        room[0] = True
        for call in first[:2]:
            calls.answered(Reply(call.call_id))
        tasks.append(asyncio.create_task(send("four")))
        await settle()
        for call in first[2:4]:
            calls.answered(Reply(call.call_id))
        await asyncio.gather(*tasks)
        assert order == ["one", "two", "three", "four"]

    room = [True]
    asyncio.run(main())


@given(seed=st.integers(0, 2**32))
def test_calls_go_on_in_the_order_in_which_they_came(seed: int) -> None:
    async def main() -> None:
        rng, room = random.Random(seed), [True]
        calls = table(room=room)
        came: list[int] = []
        went: list[int] = []

        async def send(number: int) -> None:
            came.append(number)
            call = await calls.begin("x")
            went.append(number)
            await asyncio.sleep(0)
            under_way.append(call)

        under_way: list[PendingCall] = []
        tasks: list[asyncio.Task[None]] = []
        given_up: set[int] = set()
        for number in range(300):
            tasks.append(asyncio.create_task(send(number)))
            room[0] = rng.random() < 0.5
            if under_way and rng.random() < 0.5:
                calls.answered(Reply(under_way.pop(rng.randrange(len(under_way))).call_id))
            if rng.random() < 0.1 and (victim := rng.randrange(number + 1)) not in went and tasks[victim].cancel():
                given_up.add(victim)
            if rng.random() < 0.3:
                await asyncio.sleep(0)
            if rng.random() < 0.3:
                calls.admit()
        room[0] = True
        while not all(task.done() for task in tasks):
            calls.admit()
            await asyncio.sleep(0)
            while under_way:
                calls.answered(Reply(under_way.pop().call_id))
        assert went == [number for number in came if number not in given_up or number in went]
        assert len(calls) + len(calls._free) == 255

    asyncio.run(main())


def test_who_gives_up_at_the_moment_of_its_turn_gives_the_turn_on() -> None:
    async def main() -> None:
        calls = table()
        first = [await calls.begin("first") for _ in range(255)]
        one, two = (asyncio.create_task(calls.begin(name)) for name in ("one", "two"))
        await settle()
        calls.answered(Reply(first[0].call_id))
        one.cancel()
        await settle()
        assert one.cancelled() and two.result().target == "two"

    asyncio.run(main())


def test_a_link_without_room_holds_calls_back_until_there_is() -> None:
    async def main() -> None:
        room = [False]
        calls = table(room=room)
        waiting = asyncio.create_task(calls.begin("x"))
        await settle()
        calls.admit()
        await settle()
        assert not waiting.done()
        room[0] = True
        calls.admit()
        assert isinstance(await waiting, PendingCall)

    asyncio.run(main())


@pytest.mark.parametrize("target", ["@net.socket", "@net.server", "@net.udp"])
def test_an_object_that_nobody_waits_for_any_more_is_let_go(target: str) -> None:
    async def main() -> None:
        released: list[Handle] = []
        calls = table(released)
        call = await calls.begin(target)
        call.future.cancel()
        calls.answered(Reply(call.call_id, (7,)))
        assert released == [Handle(7)]
        call = await calls.begin(target)
        calls.answered(Reply(call.call_id, (8,)))
        assert await call.future == (Handle(8),)
        assert released == [Handle(7)]

    asyncio.run(main())


def test_handles_in_the_answer_to_a_call_given_up_are_let_go() -> None:
    async def main() -> None:
        released: list[Handle] = []
        calls = table(released)
        call = await calls.begin("f")
        call.future.cancel()
        calls.answered(Reply(call.call_id, (5, Handle(1), [Handle(2), {b"x": Handle(3), Handle(4): 1}])))
        assert released == [Handle(1), Handle(2), Handle(4), Handle(3)]

    asyncio.run(main())


def test_a_call_that_was_never_sent_gives_its_number_back() -> None:
    async def main() -> None:
        calls = table()
        begun = [await calls.begin("x") for _ in range(255)]
        waiting = asyncio.create_task(calls.begin("y"))
        await settle()
        calls.abandon(begun[9])
        assert (await waiting).call_id == begun[9].call_id

    asyncio.run(main())


def test_the_end_fails_who_was_called_and_who_waits_to_call() -> None:
    async def main() -> None:
        calls = table()
        begun = [await calls.begin("x") for _ in range(255)]
        waiting = asyncio.create_task(calls.begin("y"))
        await settle()
        reason = LinkError("over")
        calls.fail(reason)
        for future in (begun[0].future, waiting):
            with pytest.raises(LinkError, match="over") as caught:
                await future
            assert caught.value.__cause__ is reason
        assert len(calls) == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("target", "text", "expected"),
    [
        ("net.createServer", "bad argument #1 to '?' (number expected, got string)", "createServer"),
        ("net.dns.resolve", "lua:1: bad argument #2 to 'net.dns.resolve' (function expected)", "resolve"),
        (":send", "bad argument #2 to '?' (string expected, got nil)", "?"),
        ("net.ifinfo", "cannot tell what '?' (a name) is", "?"),
    ],
)
def test_an_error_names_the_function_that_was_called(target: str, text: str, expected: str) -> None:
    async def main() -> None:
        calls = table()
        call = await calls.begin(target)
        calls.answered(Failure(call.call_id, (text.encode(),)))
        with pytest.raises(LuaError) as caught:
            await call.future
        assert f"'{expected}' " in caught.value.text

    asyncio.run(main())


def test_error_values_as_text() -> None:
    assert [lua_text(value) for value in (b"x", Opaque(b"thread: 1"), None, 4)] == ["x", "thread: 1", "nil", "4"]
