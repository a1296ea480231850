from __future__ import annotations

import asyncio

import pytest

from bridge.errors import UsageError
from bridge.handlers import EVENTS, Handlers


def test_only_events_have_handlers_and_none_takes_one_away() -> None:
    handlers, told = Handlers("COM9"), []
    with pytest.raises(UsageError, match="not an event of a board") as caught:
        handlers.set("konsole", print)
    assert caught.value.remedy and all(event in caught.value.remedy for event in EVENTS)
    handlers.set("console", told.append)
    handlers.tell("console", b"1")
    handlers.set("console", None)
    handlers.tell("console", b"2")
    assert told == [b"1"]


def test_what_a_handler_raises_is_told_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        handlers = Handlers("COM9")

        async def late(error: object) -> None:
            await asyncio.sleep(0)
            raise ValueError("late")

        handlers.set("reset", late)
        handlers.tell("reset", None)
        (task,) = handlers.tasks
        await task
        assert "late" in caplog.text and not handlers.tasks
        seen: list[tuple[BaseException, str]] = []
        handlers.set("error", lambda error, where: seen.append((error, where)))
        handlers.set("down", lambda error: 1 / 0)
        handlers.tell("down", None)
        ((error, where),) = seen
        assert isinstance(error, ZeroDivisionError) and "down" in where
        cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        handlers.set("fault", lambda text: cancelled.result())
        handlers.tell("fault", "x")
        assert isinstance(seen[1][0], asyncio.CancelledError) and "fault" in seen[1][1]
        handlers.set("error", lambda error, where: 1 / 0)
        handlers.tell("down", None)
        assert "the handler for errors raised" in caplog.text

    asyncio.run(main())


def test_watchers_hear_of_everything_before_the_handlers_do_and_of_errors_that_nobody_handles() -> None:
    handlers, told = Handlers("COM9"), list[tuple[object, ...]]()
    handlers.watchers.append(lambda *what: told.append(what))
    handlers.set("console", lambda data: told.append(("handler", data)))
    handlers.tell("console", b"1")
    handlers.tell("reset", None)
    error = ValueError("of a callback")
    handlers.report(error, "here")
    assert told == [("console", b"1"), ("handler", b"1"), ("reset", None), ("unhandled", error, "here")]
    handlers.set("error", lambda error, where: told.append(("handled", error)))
    handlers.report(error, "there")
    assert told[4:] == [("error", error, "there"), ("handled", error)]
