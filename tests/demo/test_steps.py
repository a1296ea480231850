from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from bridge.demo.steps import Steps
from bridge.errors import LinkTimeout


def test_a_line_per_step_with_number_time_and_result() -> None:
    out = io.StringIO()

    async def main() -> None:
        steps = Steps(Console(file=out, width=60))
        steps.note("[before] everything")
        async with steps.step("First") as step:
            step.progress(0.5, "half")
            step.note("done [well], " + "and at some length " * 4)
        with pytest.raises(ValueError):
            async with steps.step("Second"):
                raise ValueError
        async with steps.step("Third"):
            pass

    asyncio.run(main())
    note, first, third = out.getvalue().splitlines()
    assert note == "[before] everything"
    assert first.split()[:4] == ["1", "First", "0.0", "s"] and "done [well], and" in first
    assert third.split()[:2] == ["3", "Third"]


def test_a_step_has_an_end() -> None:
    async def main() -> None:
        steps = Steps(Console(file=io.StringIO()), limit=0.01)
        with pytest.raises(LinkTimeout, match="Forever took more than 0.01 s"):
            async with steps.step("Forever"):
                await asyncio.Event().wait()

    asyncio.run(main())


def test_a_terminal_sees_progress() -> None:
    out = io.StringIO()

    async def main() -> None:
        steps = Steps(Console(file=out, force_terminal=True, width=100))
        async with steps.step("Write") as step:
            step.progress(0.25, "a quarter")

    asyncio.run(main())
    assert "a quarter" in out.getvalue()
