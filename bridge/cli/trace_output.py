"""What `trace show --json` and `trace replay --json` print."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from bridge.cli.json_output import Output

Mark = Literal[">", "<", "=", "!"]
Count = Annotated[int, Field(ge=0)]


class TraceHeader(Output):
    """The first line: what was traced, and whether the file's last line is cut."""

    what: Literal["trace"]
    trace: int
    port: str
    bridge: str | None = None
    started: str | None = None
    cut: bool


class TraceFrame(Output):
    """A frame; `seq` and `last` are null if it only acknowledges, `messages` are those that it completed."""

    what: Literal["frame"]
    t: float
    mark: Mark
    ack: int
    bytes: Count
    again: bool
    seq: int | None = None
    last: bool | None = None
    messages: list[str] = []
    elided: bool = False


class TraceDamage(Output):
    """Bytes that are no frame."""

    what: Literal["damage"]
    t: float
    mark: Mark
    bytes: Count
    hex: str
    elided: bool = False


class TraceText(Output):
    """Text of the console, a character for each byte (Latin-1)."""

    what: Literal["text"]
    t: float
    mark: Mark
    text: str
    elided: bool = False


class TraceNote(Output):
    """A note or a fault."""

    what: Literal["note", "fault"]
    t: float
    mark: Mark
    text: str
    facts: dict[str, Any]
    elided: bool = False


class TraceDirection(Output):
    """What went one way."""

    frames: Count
    again: Count
    bytes: Count


class TraceSummary(Output):
    """The last line; `elided` counts bytes of secrets that are not in the file."""

    what: Literal["summary"]
    seconds: float
    sessions: Count
    damaged: Count
    elided: Count
    sent: TraceDirection
    received: TraceDirection


Line = Annotated[
    TraceHeader | TraceFrame | TraceDamage | TraceText | TraceNote | TraceSummary, Field(discriminator="what")
]


class TraceShowOutput(RootModel[Line]):
    """One thing that happened; the first line is the header, the last one the summary."""


class ReplayedSession(Output):
    """A session as the parser sees it: messages of the board, of the host, and text beside them (Latin-1)."""

    epoch: int
    check: str
    damaged: Count
    messages: list[str]
    sent: list[str]
    console: str
    failure: str | None


class TraceReplayOutput(Output):
    """What the parser makes of a trace."""

    damaged: Count
    console: str
    sessions: list[ReplayedSession]


def shown_line(found: dict[str, Any]) -> TraceShowOutput:
    """A line of `trace show` from what `bridge.trace.show.objects` says.

    The header of a file may hold whatever somebody put there; only what is known of it is shown.
    """
    if found["what"] == "trace":
        said = {name: found[name] for name in ("bridge", "started") if isinstance(found.get(name), str)}
        found = {"what": "trace", "trace": found["trace"], "port": found["port"], "cut": found["cut"], **said}
    return TraceShowOutput.model_validate(found)
