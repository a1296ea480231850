"""Plays a recording of the stock firmware on the bench, at the recorded times, and compares what comes out."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from bridge.virtual.clock import run
from tests.virtual.bench import Bench

GROUND_TRUTH = Path(__file__).parent.parent / "ground_truth"
#: The recorder's modules; `host` is its own.
RECORDED_MODULES = "bit,crypto,encoder,file,net,node,pipe,sjson,struct,tmr,uart"
#: As play.py masks.
_MASKS = [
    (r"0x[0-9a-fA-F]+", "0xADDR"),
    (r"NodeMCU \d[\s\S]*?powered by Lua [^\r\n]*", "<banner>"),
    (r"Formatting file system\. Please wait\.\.\.\r?\n?[.\r\n]*", ""),
    (r"\b\d{4,5}\t(10\.77\.0\.2|0\.0\.0\.0)", r"<port>\t\1"),
    (r"(?<!\d)[34]\d{4}(?!\d)", "<heap-or-port>"),
    (r"(?<=[\t ])\d+\.\d{3,}\b", "<time>"),
]

Blocks = list[tuple[str, str]]


def load(folder: str, name: str) -> dict[str, Any]:
    """A recording by its folder ("recordings", "recordings-lua53") and name."""
    recording: dict[str, Any] = json.loads((GROUND_TRUTH / folder / f"{name}.json").read_text())
    return recording


def instrumented(recording: dict[str, Any]) -> bool:
    """True if the recording reads counters that only the recorder has."""
    return any("host." in step.get("send", "") for step in recording["steps"])


def masked(text: str) -> str:
    """Without what differs from board to board."""
    for pattern, put in _MASKS:
        text = re.sub(pattern, put, text)
    return text


def recorded_blocks(recording: dict[str, Any]) -> Blocks:
    """[(sent, received until the next send)]"""
    out = [["", ""]]
    for step in recording["steps"]:
        if "send" in step:
            out.append([step["send"], ""])
        elif "recv" in step:
            out[-1][1] += step["recv"]
    return [(sent, masked(received)) for sent, received in out]


def played_blocks(recording: dict[str, Any], lua: str, **options: Any) -> Blocks:
    """What the virtual board answers to the same bytes at the same times."""

    async def play() -> Blocks:
        loop = asyncio.get_running_loop()
        began = loop.time()
        bench = await Bench.boot(lua=lua, modules=RECORDED_MODULES, **options)
        steps = recording["steps"]
        boot = bench.boot_text if steps and "recv" in steps[0] else ""
        out: Blocks = [("", masked(boot))]
        sends = [step for step in steps if "send" in step]
        ends = [step["t"] for step in sends[1:]] + [max(step.get("t", 0) for step in steps) + 0.01]
        for step, end in zip(sends, ends, strict=True):
            await asyncio.sleep(max(0.0, began + step["t"] - loop.time()))
            await bench.send(step["send"].encode("latin-1"))
            await asyncio.sleep(max(0.0, began + end - loop.time() - 0.001))
            out.append((step["send"], masked(await bench.read(0.0))))
        bench.close()
        return out

    return run(play())


def difference(expected: Blocks, got: Blocks) -> str | None:
    """None if they say the same, else where they first differ."""
    if [text for _, text in expected] == [text for _, text in got]:
        return None
    if len(expected) == len(got) and "".join(t for _, t in expected) == "".join(t for _, t in got):
        return None
    for number, (want, have) in enumerate(zip(expected, got, strict=True)):
        if want != have:
            return f"send {number}: {want[0]!r}\n recorded {want[1]!r}\n got      {have[1]!r}"
    return "length"
