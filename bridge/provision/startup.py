"""What is said where a board's startup script keeps everybody from it: it restarts the board, or takes the console.

There is no moment between a reset and init.lua at which a stock firmware would listen: it reads its console only when
init.lua has ended (`pmain` of app/lua53/lua.c), and what a program has taken by then is its own. So only erasing helps.
"""

from __future__ import annotations

from bridge.errors import AgentError, BridgeError, LuaError, ReplError
from bridge.provision.first_look import FirstLook
from bridge.provision.plan import STARTUP, BoardPlan

_COST = "that erases the whole flash, with all files and Wi-Fi settings on it, and what this file names is written anew"


def way_out(plan: BoardPlan) -> str:
    """What to do about a board that cannot be reached because of what it does at its start: a sentence."""
    if plan.erase and plan.image:
        return "Correct its startup script and run this again: as `erase` is set, the flash is erased first."
    missing = "`erase: true`" if plan.image else "an `image` and `erase: true`"
    return (
        f"If its init.lua does it, correct the startup script, give the file {missing}, and run it again ({_COST}); "
        "or flash the board by hand with `nodemcu-bridge flash --erase`."
    )


def unreachable(error: BridgeError, plan: BoardPlan) -> ReplError:
    """The error for a board without a prompt, with the way out. It is none of those after which a run begins again.

    Args:
        error: what was found.
        plan: of the board.
    """
    return ReplError(error.message, port=error.port, remedy=" ".join(filter(None, (error.remedy, way_out(plan)))))


def no_look(found: FirstLook, plan: BoardPlan) -> BridgeError:
    """The error for a board that did not tell what it is.

    Args:
        found: has no look.
        plan: of the board.
    """
    assert found.reason is not None
    if isinstance(found.reason, LuaError):
        return AgentError(
            f"The board cannot say what it is: {found.reason.text}",
            port=found.reason.port,
            remedy="Its init.lua may hide a module of the firmware, or the firmware lacks the module node.",
        )
    return unreachable(found.reason, plan) if found.no_prompt else found.reason


def not_back(error: BridgeError, plan: BoardPlan) -> ReplError:
    """The error for a board that did not come back after its startup script was written or its files were changed."""
    return ReplError(
        f"The board does not come back with {plan.startup_from} as its {STARTUP}: {error.message}"
        if plan.startup is not None
        else f"The board does not come back: {error.message}",
        port=error.port,
        remedy=way_out(plan),
    )
