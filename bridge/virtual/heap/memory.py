"""A look into the memory of the host's Lua VM: every object with the sizes that matter on the chip.

The VM keeps its objects in linked lists. Reading them (and never writing) finds each table's exact array and hash
size, each function's code and constants, each string's length: what no function of Lua tells, without allocating
anything in the VM and without depending on what a program can reach. The offsets are those of PUC Lua 5.1.5 and 5.3.6
compiled for 64 bits, as lupa ships them; `VmMemory` checks them against values it knows before it is used.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from bridge.errors import BridgeError

#: All of this process's memory, from address 0, which `struct` reads in place. The walk over a VM's objects is a large
#: part of what a virtual board costs its host, and `ctypes.string_at` takes several times as long for each.
MEMORY = memoryview((ctypes.c_uint64 * (1 << 44)).from_address(0)).cast("B")
#: Slots and calls of the main thread that the board's own work may need, so that they say nothing of the program.
FLAT_STACK, FLAT_CALLS = 360, 64
_POINTER = struct.Struct("<Q")
#: Head of every object: the next one in its list, its kind.
_HEAD = struct.Struct("<QB")
#: Of a userdata: metatable, environment, size.
_USERDATA_AT, _USERDATA = 16, struct.Struct("<3Q")
#: A value and the tag of its type.
_VALUE = struct.Struct("<Qi")

#: Tells an object from another that is made in its place when it is gone: of a userdata it is the metatable and the
#: size, of a string its hash and its length; others have none.
Signature = tuple[int, ...]


class Kind(IntEnum):
    """Kinds of object (`LUA_T*`), with Lua's internal ones."""

    STRING = 4
    TABLE = 5
    FUNCTION = 6
    USERDATA = 7
    THREAD = 8
    PROTO = 9
    UPVALUE = 10


class UnknownLayout(BridgeError):
    """The VM in this process is not laid out as expected."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The virtual board cannot read its Lua VM: {what}",
            remedy="Install lupa from its wheel for 64-bit Linux or macOS.",
        )


class Table(NamedTuple):
    """Array slots and hash nodes of a table."""

    array: int
    nodes: int


@dataclass(frozen=True)
class Proto:
    """A function prototype: counts, the line of each instruction, the code.

    Attributes:
        hidden: the last constants, as far as they are strings that begin with a NUL (`bridge.virtual.lua.hidden`).
    """

    code: bytes
    constants: int
    protos: int
    upvalues: int
    local_names: int
    lines: tuple[int, ...]
    first_line: int
    hidden: tuple[bytes, ...]


def pointer(address: int) -> int:
    """The pointer that stands at an address."""
    return int(_POINTER.unpack_from(MEMORY, address)[0])


def read(address: int, size: int) -> bytes:
    """So many bytes at an address."""
    return bytes(MEMORY[address : address + size])


class VmMemory:
    """The objects of one VM.

    Args:
        state: address of any of the VM's `lua_State`s (what `tostring` shows of a coroutine).

    Raises:
        UnknownLayout: this is not the VM it is made for.
    """

    #: Bytes before a userdata's own, which is what `tostring` shows the address of.
    userdata_header = 40
    #: True if strings are not in `lists`.
    counts_strings_apart = False
    #: Offsets of `l_G` in lua_State and of `mainthread` in global_State.
    _globals_at = _main_at = 0

    def __init__(self, state: int) -> None:
        if ctypes.sizeof(ctypes.c_void_p) != 8 or MEMORY[state + 8] & 0x0F != Kind.THREAD:
            raise UnknownLayout("the address is not that of a Lua thread of 64 bits")
        self.globals = pointer(state + self._globals_at)
        self.main = pointer(self.globals + self._main_at)
        if MEMORY[self.main + 8] & 0x0F != Kind.THREAD or pointer(self.main + self._globals_at) != self.globals:
            raise UnknownLayout("the VM's main thread is not where it should be")
        self._dummy = 0

    def chain(self, first: int, stop: AbstractSet[int] = frozenset()) -> Iterator[tuple[int, int]]:
        """Address and kind of the objects in a list, up to one of `stop`."""
        head, memory = _HEAD.unpack_from, MEMORY
        address = first
        while address and address not in stop:
            following, tag = head(memory, address)
            yield address, tag & 0x0F
            address = following

    def next(self, address: int) -> int:
        """The object behind another in its list, or 0."""
        return pointer(address)

    def lists(self) -> tuple[int, ...]:
        """First objects of the lists of collectable objects; new ones are put in front."""
        raise NotImplementedError

    def string_lengths(self) -> list[tuple[int, int]]:
        """Address and length of the strings that are in no list of `lists`."""
        return [(address, length) for address, length, _ in self.strings()]

    def strings(self) -> list[tuple[int, int, Signature]]:
        """Address, length and signature of the strings that are in no list of `lists`."""
        raise NotImplementedError

    def signed(self, first: int) -> Iterator[tuple[int, int, Signature]]:
        """Address, kind and signature of the objects in one of the `lists` but the first."""
        head, userdata, memory = _HEAD.unpack_from, _USERDATA.unpack_from, MEMORY
        address = first
        while address:
            following, tag = head(memory, address)
            kind = tag & 0x0F
            yield address, kind, userdata(memory, address + _USERDATA_AT) if kind == Kind.USERDATA else ()
            address = following

    def string_length(self, address: int) -> int:
        """Bytes of a string."""
        raise NotImplementedError

    def table(self, address: int) -> Table:
        """Sizes of a table."""
        raise NotImplementedError

    def proto(self, address: int) -> Proto:
        """A prototype."""
        raise NotImplementedError

    def thread(self, address: int) -> tuple[int, int]:
        """Stack slots and call records of a thread."""
        raise NotImplementedError

    def closure(self, address: int) -> tuple[bool, int, tuple[int, ...]]:
        """Whether a function is C's, its number of upvalues, and addresses of cells that are in no list."""
        raise NotImplementedError

    def code_of(self, address: int) -> int:
        """What a function runs: address of its prototype, or of C's code."""
        raise NotImplementedError

    def nested(self, address: int) -> tuple[int, ...]:
        """Addresses of the prototypes within a prototype."""
        raise NotImplementedError

    def open_upvalues(self, address: int) -> Iterator[int]:
        """Captured variables of a thread that are still on its stack and in no list; some that nobody uses any more."""
        raise NotImplementedError

    def userdata_size(self, address: int) -> int:
        """Bytes of a userdata in this process."""
        raise NotImplementedError

    def count(self) -> int:
        """Bytes that the VM has allocated in this process."""
        raise NotImplementedError

    def hook_counts(self) -> tuple[int, int]:
        """After how many instructions of the main thread the count hook is called, and how many are left till then."""
        raise NotImplementedError

    def entries(self, address: int) -> int:
        """Entries in the hash part of a table."""
        raise NotImplementedError

    def global_table(self) -> int:
        """Address of the table of globals."""
        raise NotImplementedError

    def own(self) -> int:
        """Bytes of what a VM has of its own: string table, registry, the main thread's stack where it is not deep."""
        raise NotImplementedError

    def mark(self) -> tuple[int, ...]:
        """Where allocation stands: first objects of the lists, and the number of strings outside of them."""
        raise NotImplementedError

    def learn_dummy(self) -> None:
        """Find the node that all tables without a hash part share."""
        seen: set[int] = set()
        for first in self.lists():
            for address, kind in self.chain(first):
                if kind == Kind.TABLE:
                    node = self._node(address)
                    if node in seen:
                        self._dummy = node
                        return
                    seen.add(node)
        raise UnknownLayout("no two empty tables share their node")

    def _node(self, address: int) -> int:
        raise NotImplementedError

    def _hidden(self, constants: int, count: int) -> tuple[bytes, ...]:
        """The last of the constants that begin at an address, as far as they are strings that begin with a NUL."""
        found: tuple[bytes, ...] = ()
        for at in reversed(range(count)):
            value, tag = _VALUE.unpack_from(MEMORY, constants + 16 * at)
            if tag & 0x0F != Kind.STRING or not (text := read(value + 24, self.string_length(value))).startswith(b"\0"):
                break
            found = (text, *found)
        return found


def memory_of(version: str, state: int) -> VmMemory:
    """The memory of a VM.

    Args:
        version: "5.1" or "5.3".
        state: address of one of its `lua_State`s.

    Raises:
        UnknownLayout: this is not the VM it should be.
    """
    from bridge.virtual.heap.memory51 import Memory51
    from bridge.virtual.heap.memory53 import Memory53

    return Memory51(state) if version == "5.1" else Memory53(state)
