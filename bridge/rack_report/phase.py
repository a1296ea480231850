"""What is reported of a test, phase by phase, and what the plugin of pytest attaches to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError


class Attached(BaseModel):
    """What the pytest plugin attaches to a report; unknown keys are nothing to us, wrong values are a finding."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    place: str | None = None
    port: str | None = None
    mac: str | None = None
    firmware: str | None = None
    heap: list[tuple[float, int]] = []
    console: str | None = None
    finding: str | None = None
    notes: list[str] = []
    charged_to: str | None = None
    """"test", "board", or the name of another test."""
    waited: float = 0.0


@dataclass(frozen=True)
class Phase:
    """One of the reports that pytest makes of a test.

    Args:
        nodeid: of the test.
        when: setup, call or teardown; anything else if the process ended in it.
        outcome: passed, failed, skipped, or "rerun" if this run of the test counts for nothing and another follows.
        started: seconds since 1970.
        seconds: how long it took.
        message: why it failed or was skipped.
        xfail: it was expected to fail.
        worker: process of pytest-xdist.
        attached: `report.nodemcu`, if there is one.
    """

    nodeid: str
    when: str
    outcome: Literal["passed", "failed", "skipped", "rerun"]
    started: float
    seconds: float
    message: str | None = None
    xfail: bool = False
    worker: str | None = None
    attached: dict[str, Any] | None = None


def read_attached(told: dict[str, Any]) -> Attached:
    """What was attached; of what cannot be read a finding says so."""
    try:
        return Attached.model_validate(told)
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        place = told.get("place")
        return Attached(
            place=place if isinstance(place, str) else None,
            finding=f"What was attached to this test's report cannot be read: {key} is not what it should be.",
        )
