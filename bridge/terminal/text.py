"""Text of a board's console, shown as it comes without spoiling a line that is being edited."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable

#: Seconds that the start of a line waits for its end while somebody edits below it.
PATIENCE = 0.2


class BoardText:
    """Shows what the board prints.

    While a line is edited only whole lines are shown, above it; the start of a line that gets no end is shown as a line
    of its own after a while.

    Args:
        write: shows text; the line being edited is drawn anew below it.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._waiting = ""
        self._cr = False
        self._column = 0
        self._ended = False
        self._editing = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """The board printed something."""
        text = self._decoder.decode(data)
        if self._cr:
            text = "\r" + text
        self._cr = text.endswith("\r")
        text = (text[:-1] if self._cr else text).replace("\r\n", "\n")
        if text and self._ended:
            # The end of a line that was given one already.
            self._ended = False
            text = text.removeprefix("\n")
        self._waiting += text
        if not self._editing:
            self._show(self._waiting)
        else:
            lines, newline, _ = self._waiting.rpartition("\n")
            self._show(lines + newline)
            self._arm()

    def say(self, text: str, *, beside: bool = False) -> None:
        """Show something else, behind all that the board printed: on a line of its own, or beside what stands there."""
        if self._editing:
            self._show(self._waiting + "\n" if self._waiting else "")
            self._write(text)
        else:
            start = "\n" if self._column and not beside else ""
            self._write(start + text)
            self._column = len(text) - text.rfind("\n") - 1

    def begin_editing(self) -> None:
        """A line is about to be edited: it gets a line of its own."""
        if self._column:
            self._write("\n")
            self._column, self._ended = 0, True
        self._editing = True

    def end_editing(self) -> None:
        """The line has been typed."""
        self._editing = False
        self._disarm()
        self._show(self._waiting)

    def _show(self, text: str) -> None:
        if text:
            self._waiting = self._waiting[len(text) :]
            self._column = len(text) - text.rfind("\n") - 1
            self._write(text)

    def _arm(self) -> None:
        self._disarm()
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        text, self._waiting = self._waiting, ""
        self._write(text + "\n")
        self._ended = True
