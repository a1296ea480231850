"""A run of tests on a rack, for people and programs: `schemas/rack-report.json` is made from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from bridge.rack_report.visible import visible

Text = Annotated[str, AfterValidator(visible)]
"""Whatever boards and tests say: without characters that are unseen, or that no file can hold."""

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed", "again"]
"""As pytest says it; an error is a failure before or after the test itself, what is run again counts for nothing."""
Charge = Literal["test", "board", "other test"]
"""Whose fault a failure is."""
State = Literal["healthy", "sick", "quarantined"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Excerpt(_Model):
    """Text of which the middle may be left out."""

    head: Text = ""
    left_out: int = 0
    """Characters between head and tail; 0 if the head is everything."""
    tail: Text = ""


class Evidence(_Model):
    """Why a board is not healthy."""

    said: Text
    """One sentence."""
    nodeid: Text | None = None
    """The test that met it, if one did."""
    seconds: float | None = None
    """From the beginning of the run; null if it was before, or nobody knows."""


class TestReport(_Model):
    """One attempt at one test."""

    __test__ = False  # no class of tests, whatever its name says

    nodeid: Text
    """As pytest names it."""
    attempt: int = 1
    """From 1; more than one where a test was run again, because what stopped it was not its fault."""
    last: bool = True
    """No attempt followed. Only these count in the totals."""
    outcome: Outcome
    charged_to: Charge | None = None
    """Null if nothing failed, or nobody is to blame."""
    findings: list[Text] = []
    """What was found, a sentence each."""
    notes: list[Text] = []
    """What else is worth telling, a sentence each."""
    message: Excerpt | None = None
    """What the test said when it failed or was skipped."""
    seconds: float
    """How long it took, with what was made ready before and looked at after it."""
    started: float
    """Seconds from the beginning of the run."""
    waited: float = 0.0
    """Seconds of these for which it waited for a board."""
    place: Text | None = None
    """Where it ran; null if it needed no board, or got none."""
    worker: Text | None = None
    """Process of pytest-xdist."""
    heap_before: int | None = None
    """Free bytes."""
    heap_after: int | None = None
    heap: list[tuple[float, int]] = []
    """Seconds from when it had its board, free bytes."""
    console: Excerpt | None = None
    """What the board printed meanwhile."""


class BoardReport(_Model):
    """One place of the rack and the board there."""

    place: Text
    port: Text | None = None
    mac: Text | None = None
    firmware: Text | None = None
    state: State = "healthy"
    evidence: list[Evidence] = []


class Totals(_Model):
    """Tests by outcome, the last attempt of each; and whose fault the failures are."""

    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    xfailed: int
    xpassed: int
    again: int
    """Attempts that another one followed."""
    charged_to_test: int
    charged_to_board: int
    boards: int
    sick: int
    quarantined: int


class RackReport(_Model):
    """A run."""

    title: Text
    started: float
    """Seconds since 1970, UTC."""
    seconds: float
    interrupted: Text | None = None
    """Why it ended before its end; null if it did not."""
    collected: int | None = None
    """How many tests there were to run; null if nobody knows."""
    host: Text | None = None
    command: list[Text] = []
    totals: Totals
    boards: list[BoardReport]
    tests: list[TestReport]
    """In the order in which they began."""
