"""The `pipe` module (app/modules/pipe.c). Its objects are Lua tables, so it is written in Lua: lua/board/pipe.lua."""

from __future__ import annotations

from bridge.virtual.lua.api import Module
from bridge.virtual.sdk.kernel import Kernel
from bridge.virtual.sdk.system import System


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    assert isinstance(kernel, System)
    return Module("pipe", {"create": kernel.lua.board[b"pipe_create"]})
