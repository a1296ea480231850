"""Why a test did not pass, in one line."""

from __future__ import annotations

from bridge.rack_report.model import TestReport


def reason(test: TestReport, most: int) -> str:
    """The first finding, or the first line of what the test said; empty if nothing is known.

    Args:
        test: which did not pass.
        most: characters.
    """
    lines = test.message.head.splitlines() if test.message is not None else []
    said = next((each for each in [*test.findings, *lines] if each.strip()), "")
    return said if len(said) <= most else f"{said[: most - 1]}…"
