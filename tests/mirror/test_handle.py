from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable

import pytest

from bridge.errors import BoardReset, HandleClosed, UsageError
from bridge.mirror.handle import GRANT_AFTER, KEPT_EVENTS, Remote, State
from bridge.mirror.table import HandleTable
from bridge.wire.messages import CREDIT, EVENT_COST
from bridge.wire.values import Handle
from tests.mirror.caller import Errors, FakeCaller, make_table, settle


class Thing(Remote):
    """A handle with the events of a socket."""

    EVENTS = ("receive", "disconnection", "reconnection", "sent")

    def busy(self, busy: bool) -> None:
        self._set_in_use(busy)


Scenario = Callable[[FakeCaller, HandleTable, Errors, Thing], Awaitable[None]]


def run(scenario: Scenario) -> None:
    async def main() -> None:
        caller, table, errors = make_table()
        await scenario(caller, table, errors, Thing(table, Handle(7)))

    asyncio.run(main())


def test_events_wait_for_their_handler_and_keep_their_order() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        seen: list[object] = []
        caller.event(7, "receive", b"1")
        caller.event(7, "disconnection", 0)
        caller.event(7, "receive", b"2")
        thing.on("receive", lambda thing, data: seen.append(data))
        assert seen == [], "no handler runs inside on()"
        caller.event(7, "receive", b"3")
        await settle()
        thing.on("disconnection", lambda thing, code: seen.append(code))
        await settle()
        assert [entry for entry in seen if isinstance(entry, bytes)] == [b"1", b"2", b"3"]
        assert seen[-1] == 0

    run(scenario)


def test_a_slow_handler_is_waited_for_and_nothing_overtakes() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        seen: list[object] = []
        gate = asyncio.Event()

        async def receive(thing: Remote, data: bytes) -> None:
            await gate.wait()
            seen.append(data)

        thing.on("receive", receive)
        thing.on("disconnection", lambda thing, code: seen.append(code))
        caller.event(7, "receive", b"a" * CREDIT)
        caller.event(7, "disconnection", 0)
        await settle()
        assert seen == [] and caller.grants == []
        gate.set()
        await settle()
        assert seen == [b"a" * CREDIT, 0]
        assert caller.grants == [(7, CREDIT + EVENT_COST)]

    run(scenario)


def test_credit_is_given_back_only_for_what_was_used() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        half = GRANT_AFTER - EVENT_COST
        caller.event(7, "receive", bytes(half))
        caller.event(7, "receive", bytes(half))
        await settle()
        assert caller.grants == [], "nobody has used it"
        thing.on("receive", lambda thing, data: None)
        await settle()
        assert caller.grants == [(7, GRANT_AFTER), (7, GRANT_AFTER)]
        caller.event(7, "receive", bytes(half - 1))
        assert len(caller.grants) == 2
        caller.event(7, "receive", b"x")
        assert caller.grants[2:] == [(7, GRANT_AFTER + EVENT_COST)]

    run(scenario)


def test_a_handler_taken_away_drops_data_as_stock_does_and_gives_the_credit_back() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        seen: list[bytes] = []
        thing.on("receive", lambda thing, data: seen.append(data))
        thing.on("receive", None)
        caller.event(7, "receive", bytes(CREDIT))
        thing.on("receive", lambda thing, data: seen.append(data))
        await settle()
        assert seen == [] and caller.grants == [(7, CREDIT + EVENT_COST)]

    run(scenario)


def test_errors_go_to_disconnection_only_without_reconnection() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        seen: list[tuple[str, int]] = []
        caller.event(7, "reconnection", -9)
        thing.on("disconnection", lambda thing, code: seen.append(("d", code)))
        await settle()
        thing.on("reconnection", lambda thing, code: seen.append(("r", code)))
        caller.event(7, "reconnection", -8)
        thing.on("reconnection", None)
        caller.event(7, "reconnection", -8)
        assert seen == [("d", -9), ("r", -8), ("d", -8)]

    run(scenario)


def test_errors_in_handlers_are_reported_and_stop_nothing() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        async def bad(thing: Remote, data: bytes) -> None:
            raise ValueError(data)

        thing.on("receive", bad)
        thing.on("disconnection", lambda thing: None)
        caller.event(7, "receive", b"x")
        caller.event(7, "disconnection", 0)
        caller.event(7, "receive", b"y")
        await settle()
        assert [type(error) for error, _ in errors.seen] == [ValueError, TypeError, ValueError]
        assert all("Thing #7" in where for _, where in errors.seen)

    run(scenario)


@pytest.mark.parametrize("raised", [asyncio.CancelledError, KeyboardInterrupt])
def test_what_is_no_exception_stops_no_handle_either(raised: type[BaseException]) -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        def bad(thing: Remote, data: bytes) -> None:
            raise raised  # a future's `result()` does it, when the future was cancelled

        thing.on("receive", bad)
        with contextlib.suppress(KeyboardInterrupt):
            caller.event(7, "receive", b"x")
        assert [type(error) for error, _ in errors.seen] == [raised] * (raised is asyncio.CancelledError)
        seen: list[bytes] = []
        thing.on("receive", lambda thing, data: seen.append(data))
        caller.event(7, "receive", b"y")
        assert seen == [b"y"]

    run(scenario)


def test_other_events_are_kept_up_to_a_bound_and_the_oldest_go() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        caller.event(7, "receive", b"data")
        for number in range(KEPT_EVENTS + 10):
            caller.event(7, "disconnection", number)
        seen: list[object] = []
        thing.on("disconnection", lambda thing, code: seen.append(code))
        thing.on("receive", lambda thing, data: seen.append(data))
        await settle()
        assert seen == [b"data", *range(10, KEPT_EVENTS + 10)]

    run(scenario)


def test_misuse() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        with pytest.raises(UsageError, match="invalid callback name.*not an event of Thing.*receive"):
            thing.on("recieve", print)
        with pytest.raises(UsageError, match="invalid callback function.*cannot be called"):
            thing.on("receive", 7)  # type: ignore[arg-type]

    run(scenario)


def test_release_tells_the_board_once_and_ends_the_handle() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        ends: list[object] = []
        seen: list[object] = []
        thing.when_gone(ends.append)
        thing.on("receive", lambda thing, data: seen.append(data))
        await thing.release()
        await thing.release()
        assert (caller.released, ends, thing.state) == ([7], [None], State.CLOSED)
        thing.arrived("receive", (b"late",))
        assert seen == []
        with pytest.raises(HandleClosed, match="Thing #7 has been released"):
            await thing.call(":send", b"x")
        thing.when_gone(ends.append)
        await settle()
        assert ends == [None, None]
        del thing
        gc.collect()
        await settle()
        assert caller.released == [7]

    run(scenario)


def test_collected_handles_are_released_from_the_loop() -> None:
    async def main() -> None:
        caller, table, errors = make_table()
        Thing(table, Handle(3))
        gc.collect()
        assert caller.released == [], "not inside the finaliser"
        await settle()
        assert caller.released == [3] and caller.receivers == {}

    asyncio.run(main())


def test_what_is_in_use_and_has_handlers_stays_although_nobody_holds_it() -> None:
    async def main() -> None:
        caller, table, errors = make_table()
        seen: list[bytes] = []
        thing = Thing(table, Handle(3))
        thing.on("receive", lambda thing, data: seen.append(data))
        thing.busy(True)
        del thing
        gc.collect()
        await settle()
        caller.event(3, "receive", b"still here")
        assert seen == [b"still here"] and caller.released == []
        table.inward(Handle(3)).busy(False)
        gc.collect()
        await settle()
        assert caller.released == [3, 3], "it came twice"

    asyncio.run(main())


def test_a_reset_fails_the_handle_with_its_cause() -> None:
    async def scenario(caller: FakeCaller, table: HandleTable, errors: Errors, thing: Thing) -> None:
        ends: list[object] = []
        thing.when_gone(ends.append)
        reset = BoardReset(cause="watchdog", port="fake:")
        caller.event(7, "receive", b"never seen")
        table.fail(reset)
        assert ends == [reset]
        thing.on("receive", lambda thing, data: pytest.fail("delivered after the reset"))
        await settle()
        for _ in range(2):
            with pytest.raises(BoardReset, match="watchdog") as caught:
                await thing.call(":send", b"x")
            assert caught.value.cause == "watchdog" and caught.value is not reset
        await thing.release()
        assert caller.released == []

    run(scenario)
