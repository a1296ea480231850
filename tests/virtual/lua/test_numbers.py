"""What the recorder answered on the three builds to the same lines about numbers (tests/ground_truth/numbers)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.virtual.asked import answers, typed

NUMBERS = Path(__file__).parents[2] / "ground_truth" / "numbers"
BUILDS = {"51f": 0, "53 ": 1, "51i": 2}
#: Lines whose answers are the recorder's own: time, memory, chance, its modules and counters, timers of lines before,
#: the order of keys with a seed (5.3), a list that the file cuts off, characters that the file has in another form, and
#: INT_MIN / -1, a trap of its processor. And a key that the host keeps as an integer.
OTHERWISE = (
    "tmr.time", "tmr.delay", "alarm(", "heap", "host.", "collectgarbage(", "chipid", "node.random",
    "pairs(ROM)", "pairs(math)", "utf8.char", "u{", "> ??", '"x",5000', "rep(20000)", '"x",60000', "-2147483647-1,-1",
    "t[2^53]",
)  # fmt: skip


def recorded(build: int) -> list[tuple[str, str]]:
    found: list[tuple[str, list[str]]] = []
    for name in ("compare_arith.txt", "compare_extra.txt"):
        for line in (NUMBERS / name).read_text("latin-1").split("\n"):
            if match := re.fullmatch(r" {6}(51f|53 |51i): (.*)", line):
                found[-1][1][BUILDS[match[1]]] = match[2]
            elif line:
                sent, _, said = line.partition("   ==>  ")
                found.append((sent.removesuffix(" "), [said] * 3))
    otherwise = (*OTHERWISE, "pairs(_G)") if build == BUILDS["53 "] else OTHERWISE
    return [(sent, said[build]) for sent, said in found if said[build] and not any(part in sent for part in otherwise)]


def as_recorded(said: str) -> str:
    """An answer in the form of the file: lines joined, no traceback, errors marked."""
    lines = said.split("\r\n")
    if "stack traceback:" in lines:
        lines = lines[: lines.index("stack traceback:")]
    text = "|".join(lines) or "(none)"
    text = re.sub(r"^Lua error: \t(?:stdin:1: )?", lambda found: "ERR " if "stdin" in found[0] else "ERR0 ", text)
    return masked(text)


def masked(text: str) -> str:
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text).rstrip()


@pytest.mark.parametrize(
    ("build", "options"),
    [(0, {}), (1, {"lua": "5.3"}), (2, {"number": "integer"})],
    ids=["float", "5.3", "integer"],
)
def test_numbers_are_those_of_the_build(build: int, options: dict[str, str]) -> None:
    lines = recorded(build)
    assert len(lines) > 380
    modules = "bit,crypto,encoder,file,node,pipe,sjson,struct,tmr,uart,net"
    said = answers(*(sent for sent, _ in lines), modules=modules, **options)
    differ = {
        sent: (masked(text), as_recorded(answer))
        for (sent, text), answer in zip(lines, said, strict=True)
        if masked(text) != as_recorded(answer)
    }
    assert differ == {}


@pytest.mark.parametrize("name", ["repl_basic", "repl_errors"])
def test_the_integer_build_answers_as_recorded(name: str) -> None:
    steps = json.loads((NUMBERS.parent / "recordings-integer" / f"{name}.json").read_text())["steps"]
    lines = [step["send"].removesuffix("\n") for step in steps if "send" in step]
    said = "".join(step["recv"] for step in steps if "recv" in step)
    modules = "bit,crypto,encoder,file,node,pipe,sjson,struct,tmr,uart,net"
    answered = "".join(typed(*lines, number="integer", modules=modules))
    assert masked(answered) == masked(said)
