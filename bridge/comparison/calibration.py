"""How fast a board computes, measured at its prompt, for the virtual board to compute as fast.

All figures are of a CPU at 80 MHz: what was measured at another clock is scaled. A virtual board takes the file with
`calibration=FILE`.
"""

from __future__ import annotations

import json
from pathlib import Path

from bridge.comparison.console import Console
from bridge.comparison.facts import Facts

#: Turns of the measuring loops; one takes some 30 ms on the chip, far from the watchdog.
TURNS = 8000
#: Objects made to see what each costs the collector.
OBJECTS = 300
#: Bytes of the two strings whose copying is compared.
LONG, SHORT = 2000, 200
#: Bytes of one page of flash, and pages written.
PAGE, PAGES = 256, 16
#: Smaller figures are the clock's resolution (1 us over a loop), not the board.
SMALLEST = 0.001
#: The file that is written and removed to time the flash.
SCRATCH = "bridge-calibration.tmp"

#: What is timed: name → Lua that is run between two readings of the clock; `z` and `k` are locals of the loop.
LOOPS = {
    "arithmetic": "for i=1,{turns} do z=z+i z=z-i end",
    "calls": "for i=1,{turns} do k() end",
    "long copies": "for i=1,20 do k=LS:reverse()end",
    "short copies": "for i=1,20 do k=SS:reverse()end",
    "collection": "collectgarbage()",
}


async def measure(console: Console, facts: Facts) -> dict[str, float]:
    """Measure a board that waits at its prompt.

    Args:
        console: of the board.
        facts: what is known of it; says at which clock it runs, and whether it has a file system.

    Returns:
        Figures under the names of the calibration file: microseconds where the name ends in `_us`, milliseconds in
        `_ms`, for a CPU at 80 MHz (flash figures do not depend on the CPU). What drowned in the clock's resolution is
        left out.

    Raises:
        NotNodeMCU: the prompt stopped answering.
    """
    scale = facts.cpu_mhz / 80
    await console.type(f'LS=("x"):rep({LONG}) SS=("x"):rep({SHORT})')
    loop = await _timed(console, "arithmetic") / TURNS
    call = await _timed(console, "calls") / TURNS
    copying = (await _timed(console, "long copies") - await _timed(console, "short copies")) / 20
    bare = await _timed(console, "collection")
    await console.type(f"LS,SS=nil,nil O={{}} for i=1,{OBJECTS} do O[i]={{}} end")
    full = await _timed(console, "collection")
    await console.type("O=nil collectgarbage()")
    # A turn of the first loop is ADD, SUB, FORLOOP; one of the second MOVE, CALL, FORLOOP and the call into C.
    instruction = loop / 3
    figures = {
        "instruction_us": instruction * scale,
        "c_call_us": (call - 3 * instruction) * scale,
        "byte_us": copying / (LONG - SHORT) * scale,
        "live_object_us": (full - bare) / OBJECTS * scale,
    }
    if "file" in facts.modules:
        figures["page_program_ms"] = await _page_program(console)
    return {name: round(value, 4) for name, value in figures.items() if value >= SMALLEST}


def write(path: Path, figures: dict[str, float], source: str) -> None:
    """Write a calibration file.

    Args:
        path: where to.
        figures: as `measure` returns them.
        source: what was measured, in words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"source": source, **figures}, indent=2) + "\n", encoding="utf-8")


async def _timed(console: Console, name: str) -> float:
    """Microseconds that a loop takes: the least of five runs, since interrupts only ever add."""
    body = LOOPS[name].format(turns=TURNS)
    await console.type(f"function M()local z,k=0,tmr.now local t=tmr.now(){body} return tmr.now()-t end")
    least = min([float(await console.ask("M()")) for _ in range(5)])
    await console.type("M=nil")
    return least


async def _page_program(console: Console) -> float:
    """Milliseconds for one page, the file system's own share included."""
    write = f'local s=("x"):rep({PAGE}) local t=tmr.now()for i=1,{PAGES} do f:write(s)end f:flush()return tmr.now()-t'
    await console.type(f'f=file.open("{SCRATCH}","w")')
    await console.type(f"function M(){write} end")
    taken = float(await console.ask("M()"))
    await console.type(f'f:close()f=nil M=nil file.remove("{SCRATCH}")')
    return taken / PAGES / 1000
