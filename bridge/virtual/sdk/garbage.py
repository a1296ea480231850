"""`collectgarbage` of the base library (app/lua/lbaselib.c, app/lua53/lbaselib.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.virtual.lua.api import Args, LuaFault, Value

if TYPE_CHECKING:
    from bridge.virtual.sdk.system import System

_OPTIONS_51 = ("stop", "restart", "collect", "count", "step", "setpause", "setstepmul", "setmemlimit", "getmemlimit")
_OPTIONS_53 = ("stop", "restart", "collect", "count", "step", "setpause", "setstepmul", "setmemlimit", "isrunning")


def collectgarbage(system: System, arguments: Args) -> Value:
    """Answer one call."""
    is_51 = system.lua.version == "5.1"
    options = _OPTIONS_51 if is_51 else _OPTIONS_53
    option = options[arguments.check_option(1, options, "collect")]
    value = arguments.opt_integer(2, 0)
    account = system.account
    model = account.collecting.model
    board: Any = system.lua.board
    if option == "count":
        if system.image.number == "integer" and is_51:
            return system.heap.count() // 1024  # the bytes beyond are a fraction
        return system.heap.count() / 1024 if hasattr(system.heap, "count") else float(board[b"kilobytes"]())
    if option == "collect":
        _collect(system)
        return 0
    if option == "step":
        if account.collecting.on:
            return account.collecting.step(value)
        _collect(system)
        return False
    if option in ("stop", "restart"):
        account.block(blocked=option == "stop")
        return 0
    if option == "setpause":
        before, model.pause = model.pause, value
        return before
    if option == "setstepmul":
        before, model.multiplier = model.multiplier, value if is_51 else max(40, value)
        return before
    if option == "isrunning":
        return -1
    if option == "setmemlimit" and not is_51:
        return True
    if option == "setmemlimit" and is_51:
        limit = value << 10
        if 0 < limit < system.heap.count():
            _collect(system)
            if limit < (total := system.heap.count()):
                limit = (total + 1024) & ~1023
        system.set_collector(system.egc_mode, limit)
        return limit >> 10
    if option == "getmemlimit":
        return system.egc_limit >> 10
    return 0


def _collect(system: System) -> None:
    """A full collection: what a finalizer raises goes to the caller (`luaC_fullgc` runs them unprotected)."""
    message = system.account.asked_to_collect()
    if message is not None:
        raise LuaFault(message, position=False)
