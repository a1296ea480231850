"""What a board tells those who asked for it, besides the results of calls; their mistakes do not reach the link."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.errors import UsageError

log = logging.getLogger("bridge.board")

#: Events of a board and what their handlers get.
EVENTS = {
    "console": "the bytes that the board printed beside the link",
    "reset": "the BoardReset; handles of the boot before are dead, the agent is being put on the board again",
    "down": "the error with which the board was lost for good",
    "fault": "the text of an error that the agent caught in one of its own callbacks",
    "error": "an exception in a handler or callback of yours, and a few words on where",
}


class BoardEvents:
    """The handlers of one board.

    Args:
        url: of the board's port, for what is logged.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, event: str, handler: Callable[..., Any] | None) -> None:
        """Set the handler of an event; replaces the one before.

        Args:
            event: a key of `EVENTS`.
            handler: a function or coroutine function, or None to be told no more.

        Raises:
            UsageError: no such event.
        """
        if event not in EVENTS:
            raise UsageError(f"{event!r} is not an event of a board", remedy=f"Use one of {', '.join(EVENTS)}.")
        if handler is None:
            self._handlers.pop(event, None)
        else:
            self._handlers[event] = handler

    def tell(self, event: str, *values: object) -> None:
        """Call the handler of an event, if it has one.

        Args:
            event: a key of `EVENTS`.
            values: what the handler gets.
        """
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            result = handler(*values)
        except Exception as error:
            self._stumble(event, error)
            return
        if inspect.isawaitable(result):
            task = asyncio.get_running_loop().create_task(self._finish(event, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def report(self, error: BaseException, where: str) -> None:
        """Tell the "error" handler of an exception in the user's code, or log it if there is none.

        Args:
            error: the exception.
            where: a few words.
        """
        if "error" in self._handlers:
            self.tell("error", error, where)
        else:
            log.error("%s: %s raised", self._url, where, exc_info=error)

    async def close(self) -> None:
        """Cancel the handlers that still run, but for one that calls this."""
        for task in tuple(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
                await asyncio.wait([task])

    async def _finish(self, event: str, result: Awaitable[object]) -> None:
        try:
            await result
        except Exception as error:
            self._stumble(event, error)

    def _stumble(self, event: str, error: Exception) -> None:
        if event == "error":
            log.error("%s: the handler for errors raised", self._url, exc_info=error)
        else:
            self.report(error, f"handler for {event!r} of the board")
