"""Looks at a board for as long as it takes, and tells one that has no prompt from one that was busy for a while.

The difference matters where a board without a prompt may be erased: a program that keeps Lua busy, a damaged line, a
full heap or a firmware that cannot say what it is all fail a look, and none of them is a reason to erase anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from bridge.errors import BoardReset, BootLoop, BridgeError, LuaError, PortError, ReplError
from bridge.ports.base import Port
from bridge.provision.look import look
from bridge.provision.plan import Look
from bridge.repl import Repl, ReplTimeout

#: Seconds for which a board is asked before it counts as one without a prompt: programs that keep Lua busy for longer
#: than this are taken for ones that hold the console, but only where the board has none after a reset either.
ASK_SECONDS = 18.0
#: Seconds for a prompt after a reset: two boots, and what an init.lua does at its start.
RESET_SECONDS = 12.0
#: So many restarts while it was asked make a loop.
_LOOP = 3
#: Seconds that EN is held low.
_HOLD = 0.1
#: Seconds between two tries where the board says at once that it cannot answer.
_PAUSE = 0.5


@dataclass(frozen=True)
class FirstLook:
    """What came of it."""

    look: Look | None
    reason: BridgeError | None = None
    """Why there is no look."""
    no_prompt: bool = False
    """The board never had a prompt in all that time, or restarted again and again."""


async def look_for(port: Port, seconds: float, names: Collection[str] = ()) -> FirstLook:
    """Look at a board again and again until it tells what it is.

    Args:
        port: open; its receiver is used and given back.
        seconds: how long, at least; 0 for one try. A firmware that cannot say what it is is asked once.
        names: of the files that are of interest, as for `look`.

    Raises:
        PortError: the port went away.
    """
    loop = asyncio.get_running_loop()
    began, resets, no_prompt = loop.time(), 0, True
    while True:
        try:
            return FirstLook(await look(port, names))
        except PortError:
            raise
        except BridgeError as error:
            reason, took = error, loop.time() - began
        resets += isinstance(reason, BoardReset)
        no_prompt = no_prompt and (_is_no_prompt(reason) or isinstance(reason, BoardReset))
        if took >= seconds or isinstance(reason, LuaError):
            break
        await asyncio.sleep(_PAUSE)
    if isinstance(reason, BoardReset) and not isinstance(reason, BootLoop):
        # It has a prompt for moments between two starts.
        if resets < _LOOP:
            return FirstLook(None, reason)
        what = f"The board restarts again and again, {resets} times within {took:.0f} s"
        reason = BootLoop(what, cause=reason.cause, port=port.url)
    return FirstLook(None, reason, no_prompt)


async def look_after_reset(
    port: Port,
    *,
    lines: bool,
    told: Callable[[str], None],
    names: Collection[str] = (),
    seconds: float = RESET_SECONDS,
) -> FirstLook:
    """Reset a board and look at it, so that only what it does by itself at its start can keep it from answering.

    Args:
        port: open; its receiver is used and given back.
        lines: False if no reset lines are wired: then a person is told to press the button, and has some seconds.
        told: of what is done.
        names: as for `look_for`.
        seconds: for a prompt after a reset by the lines, and how long the board is asked at it.

    Raises:
        PortError: the port went away, or has no lines.
    """
    if lines:
        told("resetting: its prompt does not answer")
        await port.set_lines(dtr=False, rts=True)
        await asyncio.sleep(_HOLD)
        await port.set_lines(dtr=False, rts=False)
    else:
        told("press its reset button now: its prompt does not answer")
    heard: list[bytes] = []
    repl = Repl(port, on_text=heard.append)
    try:
        await repl.sync(seconds if lines else ASK_SECONDS)
    except PortError:
        raise
    except BridgeError as error:
        # Every start says something. Without a word nobody has pressed the button, and what the board would do after a
        # reset is not known.
        return FirstLook(None, error, (lines or bool(heard)) and _is_no_prompt(error))
    finally:
        repl.release()
    found = await look_for(port, seconds, names)
    return replace(found, no_prompt=found.no_prompt and isinstance(found.reason, BootLoop))


def _is_no_prompt(error: BridgeError) -> bool:
    """True for what `Repl.sync` says where it gets no prompt; a bad line can make a later step say so too."""
    return isinstance(error, ReplError | BootLoop) and not isinstance(error, ReplTimeout)
