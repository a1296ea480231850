"""Handlers of what happens to a board: who is told of what, and where it goes when they raise."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.errors import UsageError

_log = logging.getLogger("bridge.board")

#: Events of a board and what their handlers get.
EVENTS = {
    "console": "the bytes that the board printed beside the link",
    "ready": "nothing: the board is back after a restart, with the agent on it",
    "reset": "the BoardReset; handles of the boot before are dead, the agent is being put on the board again",
    "down": "the error with which the board was lost for good",
    "fault": "the text of an error that the agent caught in one of its own callbacks",
    "error": "an exception in a handler or callback of yours, and a few words on where",
}


class Handlers:
    """One handler for each event of a board.

    Attributes:
        tasks: handlers that are coroutine functions, and run.
        watchers: functions that are told of every event before its handler is, by its name and with what that gets.
            They must not raise. An error that no handler takes is "unhandled" for them.

    Args:
        url: the board's port, for the log.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._handlers: dict[str, Callable[..., Any]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.watchers: list[Callable[..., None]] = []

    def set(self, event: str, handler: Callable[..., Any] | None) -> None:
        """Set who is told of an event, or with None that nobody is.

        Raises:
            UsageError: there is no such event.
        """
        if event not in EVENTS:
            raise UsageError(f"{event!r} is not an event of a board", remedy=f"Use one of {', '.join(EVENTS)}.")
        if handler is None:
            self._handlers.pop(event, None)
        else:
            self._handlers[event] = handler

    def tell(self, event: str, *values: object) -> None:
        """Something happened: call its handler, if there is one."""
        for watcher in self.watchers:
            watcher(event, *values)
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            result = handler(*values)
        except (Exception, asyncio.CancelledError) as error:  # the latter from a future that was cancelled
            self._stumbled(event, error)
            return
        if inspect.isawaitable(result):
            task = asyncio.get_running_loop().create_task(self._finish(event, result))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def report(self, error: BaseException, where: str) -> None:
        """User code raised: tell the handler for errors, or else the log."""
        if "error" in self._handlers:
            self.tell("error", error, where)
        else:
            for watcher in self.watchers:
                watcher("unhandled", error, where)
            _log.error("%s: %s raised", self._url, where, exc_info=error)

    async def _finish(self, event: str, result: Awaitable[object]) -> None:
        try:
            await result
        except Exception as error:
            self._stumbled(event, error)

    def _stumbled(self, event: str, error: BaseException) -> None:
        if event == "error":
            _log.error("%s: the handler for errors raised", self._url, exc_info=error)
        else:
            self.report(error, f"handler for {event!r} of the board")
