"""The handlers of a board, without one."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bridge.board_events import BoardEvents
from bridge.errors import UsageError


def test_a_handler_is_told_until_it_is_taken_off() -> None:
    events, seen = BoardEvents("port"), list[bytes]()
    events.on("console", seen.append)
    events.tell("console", b"one")
    events.on("console", None)
    events.tell("console", b"two")
    assert seen == [b"one"]


def test_there_are_no_other_events() -> None:
    with pytest.raises(UsageError, match="not an event of a board"):
        BoardEvents("port").on("consol", print)


def test_what_a_handler_raises_goes_to_the_handler_of_errors(caplog: pytest.LogCaptureFixture) -> None:
    events, seen = BoardEvents("port"), list[str]()

    async def later(data: bytes) -> None:
        raise ValueError("late")

    async def main() -> None:
        both = asyncio.Event()

        def told(error: Exception, where: str) -> None:
            seen.append(f"{error} in {where}")
            if len(seen) == 2:
                both.set()

        events.on("error", told)
        events.on("fault", lambda text: 1 / 0)
        events.on("console", later)
        events.tell("fault", "x")
        events.tell("console", b"x")
        await asyncio.wait_for(both.wait(), 5)

    asyncio.run(main())
    assert seen == [
        "division by zero in handler for 'fault' of the board",
        "late in handler for 'console' of the board",
    ]
    assert not caplog.records


def test_without_a_handler_of_errors_or_with_a_bad_one_they_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    events = BoardEvents("port")
    events.on("console", lambda data: 1 / 0)
    with caplog.at_level(logging.ERROR, "bridge.board"):
        events.tell("console", b"x")
        events.on("error", lambda error, where: 1 / 0)
        events.tell("console", b"x")
    assert [record.getMessage() for record in caplog.records] == [
        "port: handler for 'console' of the board raised",
        "port: the handler for errors raised",
    ]


def test_closing_ends_the_handlers_that_still_run() -> None:
    async def main() -> None:
        events, begun, ended = BoardEvents("port"), asyncio.Event(), asyncio.Event()

        async def long(data: bytes) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        events.on("console", long)
        events.tell("console", b"x")
        await asyncio.wait_for(begun.wait(), 5)
        await events.close()
        assert ended.is_set()

    asyncio.run(main())
