from __future__ import annotations

import asyncio

from bridge.errors import LinkError
from bridge.mirror.callback import WAITING_CALLS, Callback
from bridge.wire.values import Handle
from tests.mirror.caller import make_table, settle


def test_values_arrive_as_users_see_them() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        seen: list[object] = []
        callback = Callback(lambda *values: seen.append(values), table)
        callback(1, b"x", Handle(9))
        assert seen[0][:2] == (1, b"x") and seen[0][2].number == 9  # type: ignore[index]
        assert errors.seen == []

    asyncio.run(main())


def test_coroutines_run_one_at_a_time_in_order_and_errors_are_reported() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        log: list[str] = []

        async def work(number: int) -> None:
            log.append(f"+{number}")
            await asyncio.sleep(0)
            log.append(f"-{number}")
            if number == 2:
                raise RuntimeError("two")

        callback = Callback(work, table)
        for number in (1, 2, 3):
            callback(number)
        await settle()
        assert log == ["+1", "-1", "+2", "-2", "+3", "-3"]
        ((error, where),) = errors.seen
        assert str(error) == "two" and "work" in where
        Callback(lambda: None, table)(1)
        assert isinstance(errors.seen[1][0], TypeError)

    asyncio.run(main())


def test_a_result_that_was_cancelled_is_reported_and_ends_nothing() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        Callback(lambda number: cancelled.result(), table)(1)
        assert [type(error) for error, _ in errors.seen] == [asyncio.CancelledError]

    asyncio.run(main())


def test_a_flood_is_bounded_counted_and_reported_once() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        gate = asyncio.Event()
        done: list[int] = []
        last = asyncio.Event()

        async def work(number: int) -> None:
            await gate.wait()
            done.append(number)
            if number == WAITING_CALLS:
                last.set()

        callback = Callback(work, table)
        for number in range(WAITING_CALLS + 11):
            callback(number)
        assert callback.dropped == 10
        assert [type(error) for error, _ in errors.seen] == [LinkError]
        gate.set()
        await last.wait()
        assert done == list(range(WAITING_CALLS + 1))

    asyncio.run(main())


def test_calls_that_wait_when_the_boot_ends_are_not_made() -> None:
    async def main() -> None:
        _, table, _ = make_table()
        made: list[int] = []

        async def work(number: int) -> None:
            made.append(number)
            await asyncio.sleep(0)

        callback = table.outward(work)
        assert isinstance(callback, Callback)
        for number in (1, 2, 3):
            callback(number)
        table.fail(LinkError("over"))
        await settle()
        assert made == [1]

    asyncio.run(main())


def test_lua_that_waits_gets_results_as_the_link_takes_them() -> None:
    async def main() -> None:
        _, table, errors = make_table()
        gate = asyncio.Event()

        async def work(value: object) -> object:
            await gate.wait()
            return value, [value]

        callback = Callback(work, table)
        callback(1)  # one that Lua does not wait for, and that takes long
        asked = asyncio.ensure_future(callback.ask(Handle(9)))
        await settle()
        gate.set()
        assert await asked == (Handle(9), [Handle(9)])
        assert await Callback(lambda: None, table).ask() is None
        assert errors.seen == []

    asyncio.run(main())
