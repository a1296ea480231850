"""What came of a test file, without what may be a secret: a Wi-Fi password that a test printed is in no report."""

from __future__ import annotations

from dataclasses import replace
from typing import overload

from bridge.ntest.results import FileRun
from bridge.trace.secrets import discreet_text


def discreet(run: FileRun) -> FileRun:
    """The same with secrets blanked, as traces have it (docs/guides/tracing.md); names stay, which the source has."""
    return replace(
        run,
        reason=_blank(run.reason),
        problems=[_blank(each) for each in run.problems],
        console=_blank(run.console),
        sub_tests=[
            replace(
                test,
                console=_blank(test.console),
                unfinished=_blank(test.unfinished),
                assertions=[
                    replace(each, text=_blank(each.text), excuse=_blank(each.excuse)) for each in test.assertions
                ],
            )
            for test in run.sub_tests
        ],
    )


@overload
def _blank(text: str) -> str: ...
@overload
def _blank(text: None) -> None: ...
def _blank(text: str | None) -> str | None:
    return None if text is None else discreet_text(text)
