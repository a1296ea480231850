"""What the Lua VM needs of the board around it."""

from __future__ import annotations

from typing import Protocol

from bridge.virtual.lua.api import Args, Value
from bridge.virtual.lua.chunk import Proto


class Services(Protocol):
    """What the VM needs of the board around it."""

    def put(self, text: bytes) -> None:
        """Output of `print` and of prompts that is not redirected."""

    def print(self, text: bytes) -> None:
        """Output that cannot be redirected (`dbg_printf`)."""

    def output_failed(self, message: Value) -> None:
        """The pipe of `node.output` raised."""

    def tick(self, kilobytes: float) -> int | None:
        """Every `HOOK_STEP` instructions: None to go on, 1 if the heap is used up, 2 to end the task."""

    def built(self, size: int) -> bool:
        """A program built strings of so many bytes since the last call: True if the heap is used up."""

    def called(self) -> None:
        """A function of the firmware was called."""

    def began(self) -> None:
        """Lua code is about to run, for the first time since `Runtime.ran` was cleared."""

    def post_function(self, priority: int, function: Value) -> None:
        """`luaL_posttask`; raises LuaFault when the queue is full."""

    def read_file(self, name: bytes) -> bytes | None:
        """A file's contents, or None."""

    def loading(self, source_size: int, dump: bytes | None, proto: Proto | None) -> None:
        """A chunk is about to be compiled or undumped; raises OutOfHeap when that would not fit."""

    def compiling(self) -> None:
        """A chunk is about to be compiled or undumped here."""

    def compiled(self) -> None:
        """It was compiled: what the host's VM allocated for that since `compiling` is not the chip's."""

    def loaded(self, size: int) -> None:
        """A chunk was loaded after `loading`, from a dump of so many bytes that the chip does not have."""

    def full_collection(self) -> None:
        """The firmware itself asks for a full collection."""

    def doing(self, what: str) -> None:
        """What the running task is, for statistics."""

    def report(self, message: Value) -> None:
        """A protected callback raised: pass the message to `onerror` by a task."""

    def panic(self, message: bytes) -> None:
        """An unprotected callback raised."""

    def collectgarbage(self, arguments: Args) -> Value:
        """The base library's `collectgarbage`."""
