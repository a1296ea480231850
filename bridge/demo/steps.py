"""How the demo shows what it does: a line per step, with progress and time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bridge.errors import LinkTimeout


class Step:
    """A step that is being done."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self.result = ""

    def progress(self, fraction: float | None, what: str = "") -> None:
        """Show how far it is: a fraction from 0 to 1 or None, and a few words."""
        self._progress.update(self._task, completed=fraction, total=1.0 if fraction is not None else None, what=what)

    def note(self, text: str) -> None:
        """What came out; stands in the step's line when it is done."""
        self.result = text


class Steps:
    """Numbers the steps and prints a line for each.

    Args:
        console: where to; progress bars are shown only on a terminal.
        limit: seconds that a step may take.
    """

    def __init__(self, console: Console, limit: float = 120.0) -> None:
        self._console = console
        self._count = 0
        self.limit = limit

    def note(self, text: str) -> None:
        """Print a line between steps."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextlib.asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Step]:
        """Do a step: `async with steps.step("Flash") as step: …`.

        Raises:
            LinkTimeout: it took longer than `limit`.
        """
        self._count += 1
        began = time.monotonic()
        texts = [TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[what]")]
        columns = (SpinnerColumn(), texts[0], BarColumn(), texts[1])
        with Progress(
            *columns, TimeElapsedColumn(), console=self._console, transient=True, disable=not self._console.is_terminal
        ) as progress:
            task = progress.add_task(f"{self._count:2} {title}", total=None, what="")
            step = Step(progress, task)
            try:
                async with asyncio.timeout(self.limit):
                    yield step
            except TimeoutError as error:
                raise LinkTimeout(f"{title} took more than {self.limit:g} s", remedy="Try it again.") from error
        seconds = time.monotonic() - began
        self._console.print(f"{self._count:2} {title:20} {seconds:5.1f} s  {step.result}", markup=False, soft_wrap=True)
