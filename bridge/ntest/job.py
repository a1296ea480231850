"""A test file that is to run on a board, with what it needs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.minify import minify
from bridge.ntest.dialect import PREFIX
from bridge.ntest.reading import FIRST, NEXT
from bridge.resources import resource

#: What our own files are called on the board, while a test runs.
LIBRARY, REPORTER = "bridge-ntest.lua", "bridge-ntest-tap.lua"
#: Bytes of a file's name on the board.
_LONGEST_NAME = 31


@dataclass(frozen=True)
class Job:
    """What is to run, and how.

    Attributes:
        name: the file's name on the board, without a folder.
        source: its contents.
        companions: files that are brought to the board before it: name → contents.
        library: the test library, in Lua; None for the one that the board has itself, by `require "NTest"`.
        shim: the library's reporter is replaced by ours; else the file must speak TAP by itself.
        prefix: of lines of TAP, if there is no shim.
        first, next_line: seconds for the first line of TAP, and from each to the next.
    """

    name: str
    source: bytes
    companions: Mapping[str, bytes] = field(default_factory=dict)
    library: bytes | None = field(default_factory=lambda: our_library())
    shim: bool = True
    prefix: str = PREFIX
    first: float = FIRST
    next_line: float = NEXT

    def files(self) -> dict[str, bytes]:
        """All that is to be on the board: name → contents."""
        ours = {}
        if self.shim:
            ours[REPORTER] = _small("ntest/tap.lua")
            if self.library is not None:
                ours[LIBRARY] = self.library
        return {**ours, **self.companions, self.name: self.source}

    def preparation(self) -> tuple[str, ...]:
        """Lines for the prompt that make the library and its reporter ready."""
        if not self.shim:
            return ()
        if self.library is None:
            load = f'do {_FORGET} require"NTest" end'
        else:
            # Its line numbers are of use to nobody; node.stripdebug is of the firmware for some builds only.
            load = (
                f"do {_FORGET} local d=node.stripdebug local s=d and d() if d then d(3) end "
                f'package.loaded.NTest=dofile"{LIBRARY}" if d then d(s) end end'
            )
        return (
            load,
            f'do local n,h=package.loaded.NTest,dofile"{REPORTER}" '
            "function ntshim(...) local t=n(...) t.outputhandler=h return t end package.loaded.NTest=ntshim end",
        )

    def start(self) -> str:
        """The line for the prompt that runs the file; what cannot be loaded, or raises, gives up in the way of TAP."""
        return (
            f'do local f,e=loadfile"{_escaped(self.name)}" if f then f,e=pcall(f,ntshim)end '
            f'if not f then print("\\n{self.prefix}Bail out! "..tostring(e))end end'
        )

    def tidying(self) -> str:
        """The line for the prompt after which the board's Lua is as it was."""
        return f"{_FORGET} collectgarbage()"


_FORGET = "ntshim=nil package.loaded.NTest=nil"


def _escaped(name: str) -> str:
    """A name within a string of Lua, in as few characters as can be: a line for the prompt is short."""
    plain = name.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(each if each >= " " and each != "\x7f" else f"\\{ord(each):03d}" for each in plain)


def our_library() -> bytes:
    """The test library that comes with this, made small."""
    return _small("ntest/NTest.lua")


def _small(name: str) -> bytes:
    return minify(resource("firmware").joinpath(name).read_text(encoding="utf-8")).encode()
