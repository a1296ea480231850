"""A terminal with a program in it: pexpect types and reads, pyte draws what came on a screen, as a person sees it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte

ROWS, COLUMNS = 40, 110
#: Seconds for anything that is waited for.
PATIENCE = 60.0


class Terminal:
    """A program in a pseudo-terminal, and the screen before which somebody sits.

    Args:
        arguments: of the Python that runs in it.
        folder: where it runs.
    """

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        # What a terminal answers when it is asked where the cursor is.
        self._screen.write_process_input = lambda data: self.child.send(data)  # type: ignore[method-assign]
        self._stream = pyte.Stream(self._screen)
        self.child = pexpect.spawn(
            sys.executable, list(arguments), timeout=PATIENCE, encoding="utf-8", dimensions=(ROWS, COLUMNS), cwd=folder
        )
        self.child.delaybeforesend = None
        self.bytes = ""

    @property
    def lines(self) -> list[str]:
        """The lines of the screen and those that have left it, without empty ones behind the last."""
        above = ["".join(line[x].data for x in range(COLUMNS)).rstrip() for line in self._screen.history.top]
        return "\n".join([*above, *(line.rstrip() for line in self._screen.display)]).rstrip("\n").split("\n")

    @property
    def view(self) -> list[str]:
        """What stands on the screen at this moment."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def here(self) -> str:
        """The line with the cursor, up to it."""
        cursor = self._screen.cursor
        return str(self._screen.display[cursor.y])[: cursor.x]

    def type(self, text: str) -> None:
        """Press keys; a newline is Enter."""
        self.child.send(text.replace("\n", "\r"))

    def until(self, *lines: str, here: str | None = None) -> None:
        """Wait until these lines stand on the screen in this order, and the cursor is behind `here`.

        Raises:
            AssertionError: they do not come; tells what is there.
        """
        try:
            while not self._shows(lines) or here is not None and self.here != here:
                self.draw()
        except (pexpect.TIMEOUT, pexpect.EOF):
            shown = "\n".join(self.lines)
            raise AssertionError(f"{lines} and {here!r} did not come; there is {self.here!r} below\n{shown}") from None

    def end(self) -> int:
        """Wait until the program ends; its exit code."""
        try:
            while True:
                self.draw()
        except pexpect.EOF:
            self.child.close()
        assert self.child.exitstatus is not None
        return int(self.child.exitstatus)

    def draw(self) -> None:
        """Read what the program writes next."""
        data = self.child.read_nonblocking(4096, PATIENCE)
        self.bytes += data
        self._stream.feed(data)

    def _shows(self, wanted: tuple[str, ...]) -> bool:
        there = iter(self.lines)
        return all(any(each == line for line in there) for each in wanted)


@contextmanager
def terminal(*arguments: str, folder: Path | None = None) -> Iterator[Terminal]:
    """A `nodemcu-bridge` command in a terminal; whatever still runs at the end is ended."""
    found = Terminal("-m", "bridge.cli", *arguments, folder=folder)
    try:
        yield found
    finally:
        found.child.close(force=True)
