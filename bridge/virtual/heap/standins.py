"""Closures that the board's own Lua makes for a program, and what the chip has in their place.

Coroutines and pipes are made here with functions of Lua that the chip does not have, or has in C. Each such closure is
priced by the prototype it was made of, so that what stands for nothing costs nothing, for as long as it lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.virtual.heap.memory import VmMemory
from bridge.virtual.heap.sizes import Sizes


@dataclass(frozen=True)
class StandIn:
    """A closure of the board's.

    Attributes:
        maker: the function in which it is made (board/coroutine.lua, board/pipe.lua: `B.makers`).
        nested: which of the maker's nested functions it is.
        cells: captured variables that it alone has.
        upvalues: of the C function that the chip has in its place; 0 if it has none.
    """

    maker: str
    nested: int
    cells: int
    upvalues: int


#: app/lua/lbaselib.c `luaB_cowrap`; app/modules/pipe.c `pipe_create`, `pipe_reader`.
_STAND_INS = (
    StandIn("coroutine", 0, 1, 0),
    StandIn("coroutine", 1, 1, 0),
    StandIn("resume", 0, 1, 0),
    StandIn("wrap", 0, 2, 1),
    StandIn("pipe", 0, 5, 4),
    StandIn("reader", 0, 4, 2),
)


class StandIns:
    """The stand-ins of one VM.

    Args:
        memory: the VM's memory.
        makers: addresses of the makers, and as "host_wrap" that of a function which resumes a coroutine.
    """

    def __init__(self, memory: VmMemory, makers: Mapping[str, int]) -> None:
        self._memory = memory
        self._by_code: dict[int, StandIn | None] = {memory.code_of(makers["host_wrap"]): None} if makers else {}
        for stand_in in _STAND_INS if makers else ():
            nested = memory.nested(memory.code_of(makers[stand_in.maker]))
            self._by_code[nested[stand_in.nested]] = stand_in

    def price(self, sizes: Sizes, address: int) -> int | None:
        """What a function takes on the chip less its captured variables; None if it is no stand-in."""
        code = self._memory.code_of(address)
        if code not in self._by_code:
            return None
        stand_in = self._by_code[code]
        if stand_in is None:
            return 0
        return sizes.c_closure(stand_in.upvalues) - stand_in.cells * sizes.upvalue_cell()
