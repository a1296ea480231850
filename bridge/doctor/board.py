"""What a board on a port tells: who answers, its firmware, its heap, its Wi-Fi, and whether the agent runs there."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

from bridge.doctor.finding import Check, Finding
from bridge.doctor.host import who_has_open
from bridge.errors import BridgeError, PortBusy, UsageError
from bridge.inspect import Fact, inspect_board
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.ports.latency import SHORT_MS, advice, latency_ms
from bridge.profile import Profile
from bridge.trace import open_traced

#: Modules without which the agent or `net` cannot be; those without which something else cannot, and what.
NEEDED = ("net", "node", "tmr", "uart")
USEFUL = {
    "file": "files cannot be stored",
    "wifi": "Wi-Fi cannot be set up",
    "ow": "frames are checked in Lua, which is slow",
}
#: Bytes of free heap at the prompt below which little else fits beside the agent, which takes 8 KB.
LITTLE_HEAP = 20_000
#: Calls whose time is taken.
_CALLS = 5


async def look_at_board(
    url: str, *, baud: int, trace: Path | None = None, profile: Profile | None = None
) -> AsyncIterator[Finding]:
    """Open a port and ask the board on it; the prompt is given back at the end.

    Args:
        url: of the port.
        baud: speed of the console.
        trace: as for `open_board`.
        profile: what kind of board it is to be.

    Raises:
        UsageError: there is no such port by its form, or the trace cannot be written.
    """
    check: Check = "open"
    try:
        port = await open_traced(url, baud=baud, trace=trace)
    except UsageError:
        raise
    except BridgeError as error:
        yield _not_opened(url, error)
        return
    try:
        yield Finding("open", "ok", f"{url} opens at {baud} baud.")
        held = latency_ms(url)
        if held is not None:
            text, _, command = advice(url, held).partition(" Shorten it")
            long = Finding("latency", "warn", text, f"Shorten it{command}")
            yield long if held > SHORT_MS else Finding("latency", "ok", f"Its latency timer is {held} ms.")
        check = "board"
        facts = await inspect_board(port)
        yield Finding("board", "ok", f"NodeMCU {facts['version'] or ''} with {facts['lua'] or 'Lua'} answers.")
        size = facts["flash_kb"]
        if profile is not None and isinstance(size, int) and (doubt := profile.doubt(size << 10)) is not None:
            yield Finding("board", "warn", doubt, "Name the profile that fits with --profile.")
        fatal = False
        for finding in _facts(facts):
            fatal |= finding.status == "fail"
            yield finding
        if not fatal:
            check = "agent"
            yield await _agent(port)
            yield Finding("prompt", "ok", "The prompt is back.")
    except BridgeError as error:
        yield Finding.of(check, error)
    finally:
        await port.close()


def _not_opened(url: str, error: BridgeError) -> Finding:
    holder = who_has_open(url) if isinstance(error, PortBusy) and "PID" not in str(error) else None
    if holder is not None:
        return Finding("open", "fail", f"{url} is in use by {holder}.", "Wait for it or stop it.")
    return Finding.of("open", error)


def _facts(facts: dict[str, Fact]) -> list[Finding]:
    found = []
    modules = facts["modules"]
    if isinstance(modules, list):
        missing = [name for name in NEEDED if name not in modules]
        lacking = {name: what for name, what in USEFUL.items() if name not in modules}
        build = "Build it with these modules and flash it."
        if missing:
            found.append(Finding("firmware", "fail", f"The firmware lacks {' and '.join(missing)}.", build))
        elif lacking:
            what = "; ".join(f"without {name} {what}" for name, what in lacking.items())
            found.append(Finding("firmware", "warn", f"The firmware lacks {' and '.join(lacking)}: {what}.", build))
        else:
            found.append(Finding("firmware", "ok", f"The firmware has what is needed, of {len(modules)} modules."))
    else:
        found.append(Finding("firmware", "ok", "This firmware does not tell its modules: it is older than 3.0."))
    heap = facts["heap"]
    if isinstance(heap, int):
        if heap < LITTLE_HEAP:
            what = f"Only {heap} bytes of heap are free: little fits beside the agent."
            remedy = "See what init.lua keeps, or restart the board; a firmware with fewer modules has more."
            found.append(Finding("heap", "warn", what, remedy))
        else:
            found.append(Finding("heap", "ok", f"{heap} bytes of heap are free."))
    if facts["ip"]:
        found.append(Finding("wifi", "ok", f"Wi-Fi is up, address {facts['ip']}."))
    else:
        what = "Wi-Fi has no address: sockets will not connect."
        found.append(Finding("wifi", "warn", what, "Configure it with wifi.sta.config."))
    return found


async def _agent(port: Port) -> Finding:
    loop = asyncio.get_running_loop()
    async with open_board(port, speeds=()) as board:
        times = []
        for _ in range(_CALLS):
            began = loop.time()
            await board.lua.node.heap()
            times.append(loop.time() - began)
        milliseconds = statistics.median(times) * 1000
        left = board.facts.heap_after
        what = f"The agent runs, leaves {left} bytes of heap, and a call takes {milliseconds:.0f} ms."
        return Finding("agent", "ok", what)
