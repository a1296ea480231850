"""What a recording says, and what was printed here, in a form that can be compared.

Left out of what the console printed are the echo of the statement, prompts and stack tracebacks; an error is one line
"error: …" without the chunk and line it was raised at. Masked is what differs between two boots of one board: addresses
of objects, ports that the board chose, free heap, times. Of several "sent" of one step one is left: they come as the
peer happens to acknowledge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: "stdin:1: ", "lua:1: ": where an error was raised.
_WHERE = re.compile(r"(^|[\t(]|: )[\w.=]+:\d+: ")
_MASKS = [
    (re.compile(r"0x[0-9a-fA-F]+"), "0x<address>"),
    (re.compile(r"^\d{4,5}(?=\t(10\.77\.0\.2|0\.0\.0\.0)$)"), "<port>"),
    (re.compile(r"(?<=\t)\d{5}(?=\t10\.77\.0\.1$)"), "<port>"),
    (re.compile(r"(?<![\d.])[1-4]\d{4}$"), "<heap>"),
    (re.compile(r"(?<=[\t ])\d+\.\d+(?![\d.])"), "<time>"),
]
#: Ports that a statement named.
_CHOSEN = {"8080", "8081", "7001", "5000", "5001", "5002"}
#: What the console prints when it starts.
_BANNER = re.compile(r"(\r\n)+(> )?(\r\n)*NodeMCU \d[\s\S]*?cannot open init\.lua: \r\n")
#: What the recorder noted of itself: bytes that its kernel had taken, and that nothing came.
_NOT_COMPARED = ("peer has sent", "peer got nothing")
_SENT = {"EV sent", "sent", "sentcb"}


@dataclass(frozen=True)
class Step:
    """One step of a recording.

    Attributes:
        number: from 0, as in the file.
        at: seconds from the recorder's start.
        statement: what was sent, or None.
        printed: the lines that were received, or None if the step is a note or a statement.
    """

    number: int
    at: float
    statement: str | None
    printed: list[str] | None


def steps_of(recorded: list[dict[str, Any]]) -> list[Step]:
    """A recording's steps."""
    steps, statement = [], ""
    for number, step in enumerate(recorded):
        printed = None
        if "send" in step:
            statement = step["send"].rstrip("\n")
        elif "recv" in step:
            printed = console_lines(step["recv"], statement)
            statement = ""
        steps.append(Step(number, float(step["t"]), step["send"].rstrip("\n") if "send" in step else None, printed))
    return steps


def console_lines(received: str, echo: str) -> list[str]:
    """What the console printed for a statement, line by line, without what it adds of its own."""
    text = received.removeprefix(f"{echo}\r\n") if echo else received
    text = _BANNER.sub("\r\n<restarted>\r\n", text)
    text = re.sub(r"PANIC: unprotected error in call to Lua API \((.*)\)", r"PANIC: \1", text)
    text = re.sub(r"Lua error: \t", "error: ", text)
    text = re.sub(r"stack traceback:\r\n(\t.*\r\n)*", "", text)
    return [line.removeprefix("> ") for line in text.split("\r\n") if line.removeprefix("> ")]


def normal(lines: list[str], statement: str | None = None) -> list[str]:
    """Lines with nothing in them that differs from boot to boot.

    Args:
        lines: what was printed at one step.
        statement: what was run; the order in which `pairs` goes through a table says nothing.
    """
    found: list[str] = []
    for line in lines:
        line = _WHERE.sub(r"\1", line)
        if line.split("\t")[0] not in _CHOSEN:
            for pattern, put in _MASKS:
                line = pattern.sub(put, line)
        if line in _SENT and line in found:
            found.remove(line)  # the last one stays
        found.append(line)
    return sorted(found) if statement is not None and re.search(r"\bpairs\(", statement) else found


def peer_view(events: list[list[Any]]) -> list[str]:
    """What the peers saw, without times, ports, and how bytes were split over segments or questions repeated."""
    seen: list[str] = []
    received = 0
    for _, kind, *rest in events:
        if kind in _NOT_COMPARED:
            continue
        if kind == "recv":
            received += rest[0]
            continue
        if received:
            seen.append(f"received {received}")
            received = 0
        if kind in ("dns", "query"):
            line = f"asked for {rest[0].removesuffix('.test')}"
            if line in seen:
                continue
        elif kind in ("accept", "closed"):
            line = kind
        elif kind in ("peer-fin", "err"):
            line = "fin" if kind == "peer-fin" else "reset"
        else:
            line = " ".join(str(each) for each in (kind, *rest) if not isinstance(each, list | tuple))
        seen.append(line)
    return seen + ([f"received {received}"] if received else [])
