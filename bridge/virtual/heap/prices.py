"""What an object of the host's VM takes on the chip."""

from __future__ import annotations

import functools
import struct

from bridge.virtual.heap.memory import Kind, Proto, VmMemory
from bridge.virtual.heap.sizes import Sizes, packed_lines
from bridge.virtual.heap.standins import StandIns
from bridge.virtual.heap.state import LuaState
from bridge.virtual.lua.hidden import keys_of, on_chip

#: Stack slots of a new coroutine of 5.3 (BASIC_STACK_SIZE), and how many more it has here for the board's own functions
#: below the program's; on 5.1 they fit into the first 45.
_BASIC_STACK, _BODY_SLOTS = 40, 24


class Prices:
    """Prices objects of one VM other than strings.

    Args:
        memory: the VM's memory.
        lua: the VM.
    """

    def __init__(self, memory: VmMemory, lua: LuaState) -> None:
        self._memory = memory
        self._lua = lua
        self._version = lua.version
        self._stand_ins = StandIns(memory, lua.makers())

    def price(self, sizes: Sizes, address: int, kind: int, cells: set[int]) -> int:
        """Bytes that an object takes.

        Args:
            sizes: sizes on the chip.
            address: where it is in this process.
            kind: what it is.
            cells: gets the captured variables that it refers to and that are in no list.
        """
        memory = self._memory
        match kind:
            case Kind.TABLE:
                table = memory.table(address)
                return sizes.table(table.array, table.nodes)
            case Kind.FUNCTION:
                is_c, upvalues, more = memory.closure(address)
                cells.update(more)
                if (price := self._stand_ins.price(sizes, address)) is not None:
                    return price
                return sizes.c_closure(upvalues) if is_c else sizes.lua_closure(upvalues)
            case Kind.PROTO:
                return _price_of_proto(sizes, memory.proto(address), self._version)
            case Kind.UPVALUE:
                return sizes.upvalue_cell()
            case Kind.THREAD:
                cells.update(memory.open_upvalues(address))
                stack, calls = memory.thread(address)
                if self._version == "5.3":
                    stack = max(_BASIC_STACK, stack - _BODY_SLOTS)
                return sizes.coroutine(stack, calls)
            case Kind.USERDATA:
                size = self._lua.userdata_size(address + memory.userdata_header)
                if size is None and memory.userdata_size(address) == 0:
                    size = 0  # newproxy()
                return 0 if size is None else sizes.userdata_block(size)
        return 0


@functools.lru_cache(maxsize=1024)
def _price_of_proto(sizes: Sizes, proto: Proto, version: str) -> int:
    # The same functions are priced at every look at the heap.
    code, lines = len(proto.code) // 4, proto.lines
    if keys := keys_of(proto.hidden):
        kept = on_chip(struct.unpack(f"<{code}I", proto.code), proto.constants, keys)
        code, lines = len(kept), tuple(lines[pc] for pc in kept) if lines else ()
    return sizes.prototype(
        code=code,
        constants=proto.constants - len(keys),
        protos=proto.protos,
        upvalues=proto.upvalues if proto.local_names or version != "5.1" else 0,
        local_names=proto.local_names,
        lines=packed_lines(lines, proto.first_line) if lines else 0,
    )
