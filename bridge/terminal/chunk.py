"""What a person typed as a chunk of Lua: run by the board, which also says whether more must follow.

Lua's own terminal takes a chunk for unfinished when its compiler runs into the end of what was typed. So does this one,
with the compiler of the board, and like that of Lua 5.3 it takes an expression for `return` of it.
"""

from __future__ import annotations

import re

from bridge.board import Board
from bridge.errors import LuaError
from bridge.wire.values import Value

#: Chunks of more bytes are not tried as an expression, and not held as a string beside what they compile to.
LONG = 1500
#: Name of the chunk in error texts, as at the stock prompt.
NAME = "stdin"
#: Compiles before it runs, so that what raises is never taken for what does not compile.
_RUN = (
    'local s,n=... local l=loadstring or load local f,d=l("return "..s,n) local e '
    "if not f then f,e=l(s,n) end if f then return true,f() end return false,d,e"
)
_UNFINISHED = re.compile(rb"near '?<eof>'?$")
_LONG_UNFINISHED = re.compile(rf"^{NAME}:\d+: .* near '?<eof>'?$")


class Unfinished(Exception):
    """The chunk ends before it is one: more must follow."""


async def run_chunk(board: Board, text: str) -> tuple[Value, ...]:
    """Run a chunk, or an expression, for as long as it takes; `=x` is `return x`.

    Returns:
        Its values.

    Raises:
        Unfinished: it is not whole yet; nothing of it was run.
        LuaError: it does not compile, or raised.
        BoardOutOfMemory, LinkTimeout, BoardReset, PortLost: as `Board.exec`.
    """
    source = re.sub(r"^\s*=", "return ", text).encode("utf-8", "surrogateescape")
    if len(source) > LONG:
        try:
            return _values(await board.exec(source, timeout=None, name=NAME))
        except LuaError as error:
            if _LONG_UNFINISHED.search(error.text):
                raise Unfinished from error
            raise
    done, *rest = _values(await board.exec(_RUN, source, f"={NAME}".encode(), timeout=None, name=NAME))
    if done is True:
        return tuple(rest)
    as_expression, as_chunk = (each if isinstance(each, bytes) else b"" for each in rest)
    if _UNFINISHED.search(as_expression) or _UNFINISHED.search(as_chunk):
        raise Unfinished
    raise LuaError(as_chunk.decode("utf-8", "replace"))


def _values(found: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return found if isinstance(found, tuple) else () if found is None else (found,)
