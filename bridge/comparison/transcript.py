"""What a board answered in a scenario, and whether two boards answered the same.

The rules are those of tests/ground_truth/scenarios/play.py: addresses, ports, heap figures and times are masked, and
only the bytes between two sends count, not how they were split over reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bridge.trace.secrets import discreet_text

#: What stock firmware itself prints differently from run to run, and what stands in its place for comparing.
MASKS = [
    # On a wire the ROM's boot text at 74 880 baud arrives as garbage before the banner, on the line of a prompt.
    (
        r"(?:(?<=> )|(?<=\n)|\A)(?:(?!> )[^\r\n])*?[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff][\s\S]{0,600}?"
        r"(?=[\r\n]*NodeMCU \d)",
        "",
    ),
    (r"0x[0-9a-fA-F]+", "0xADDR"),
    (r"NodeMCU \d[\s\S]*?powered by Lua [^\r\n]*", "<banner>"),
    (r"Formatting file system\. Please wait\.\.\.\r?\n?[.\r\n]*", ""),
    (r"(?<!\d)[34]\d{4}(?!\d)", "<heap>"),
    (r"(?<=[\t ])\d+\.\d{3,}\b", "<time>"),
]

#: Scenarios that stock firmware answers differently from run to run (races of typing ahead, heap figures).
VARIES = {
    "repl_burst",
    "repl_burst_slow",
    "repl_lineend",
    "repl_overrun",
    "uart_setup",
    "node_output_error",
    "oom_line_panic",
}


@dataclass(frozen=True)
class Difference:
    """The first place where two boards answered a scenario differently.

    Attributes:
        scenario: its name.
        step: number of the send, from 1; 0 is what came before the first.
        sent: what was sent to both.
        board: what the board answered, masked; None if it answered nothing any more.
        virtual: what the virtual board answered, masked; None if it answered nothing any more.
    """

    scenario: str
    step: int
    sent: str
    board: str | None
    virtual: str | None


def masked(text: str) -> str:
    """The text with what varies from run to run replaced."""
    for pattern, put in MASKS:
        text = re.sub(pattern, put, text)
    return text


def blocks(path: Path) -> list[tuple[str, str]]:
    """A scenario's answers: pairs of what was sent and what came until the next send, masked.

    Args:
        path: the JSON file that the scenario wrote.
    """
    pairs = [("", "")]
    for step in json.loads(path.read_text())["steps"]:
        if "send" in step:
            pairs.append((step["send"], ""))
        elif "recv" in step:
            sent, received = pairs[-1]
            pairs[-1] = (sent, received + step["recv"])
    return [(sent, masked(received)) for sent, received in pairs]


def difference(scenario: str, board: Path, virtual: Path) -> Difference | None:
    """The first difference between two boards' answers, or None if they are the same.

    Args:
        scenario: its name.
        board: the JSON file of the board's answers.
        virtual: the JSON file of the virtual board's answers.
    """
    one, other = blocks(board), blocks(virtual)
    if len(one) == len(other) and "".join(text for _, text in one) == "".join(text for _, text in other):
        return None  # an answer may arrive a step later on a slower machine
    for step in range(max(len(one), len(other))):
        left = one[step] if step < len(one) else None
        right = other[step] if step < len(other) else None
        if left != right:
            sent = (left or right or ("", ""))[0]
            # The report is for others, too; a program of the board may print with which key it joins a network.
            said = [each and discreet_text(each[1]) for each in (left, right)]
            return Difference(scenario, step, sent, said[0], said[1])
    return None
