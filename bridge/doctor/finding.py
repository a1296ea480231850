"""What was found at one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.errors import BridgeError

#: "warn" works, and something is slow or missing; after "fail" there may be nothing more to look at.
Status = Literal["ok", "warn", "fail"]
Check = Literal[
    "port", "permission", "driver", "programs", "adapter", "open", "latency", "board", "firmware", "heap", "wifi",
    "agent", "prompt",
]  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One finding.

    Args:
        check: what was looked at.
        status: how it is.
        what: a sentence.
        remedy: what to do, in a sentence; None where all is well.
    """

    check: Check
    status: Status
    what: str
    remedy: str | None = None

    @classmethod
    def of(cls, check: Check, error: BridgeError) -> Finding:
        """A failure, as a finding."""
        what = str(error).removesuffix(error.remedy or "").rstrip()
        return cls(check, "fail", what, error.remedy)

    def __str__(self) -> str:
        return self.what if self.remedy is None else f"{self.what} {self.remedy}"
