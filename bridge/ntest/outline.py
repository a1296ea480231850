"""What a test file says of itself before it runs: the names of its sub-tests, and what board it wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Functions that make a sub-test, called on NTest's object with a name.
_MAKERS = ("test", "testasync", "testco")

_TOKEN = re.compile(
    r"""(?P<comment>--\[(?P<c>=*)\[.*?(?:\](?P=c)\]|\Z)|--[^\n]*)
      |(?P<long>\[(?P<l>=*)\[(?P<inside>.*?)\](?P=l)\])
      |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      |(?P<name>[A-Za-z_]\w*)
      |(?P<space>\s+)
      |(?P<mark>\.\.+|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(\d{1,3}|x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]{1,6}\}|z\s*|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
#: `-- board: modules=file,tmr tags=wired flash=4194304`
_WANTS = re.compile(r"^--+\s*board:\s*(.*)$")


@dataclass(frozen=True)
class Outline:
    """What a look at the source gives.

    Attributes:
        names: of its sub-tests, as far as they are written out, in their order.
        lines: on which those names stand, from 1.
        wants: what a comment `-- board: key=value,value …` asks for: key → values.
    """

    names: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    wants: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_outline(source: str) -> Outline:
    """Look at the source of a test file.

    Names that the file makes when it runs are not found here; a name that is written out and that never runs is.
    """
    names: list[str] = []
    lines: list[int] = []
    wants: dict[str, tuple[str, ...]] = {}
    before: list[tuple[str, str]] = []
    line, counted, name_line = 1, 0, 1
    for at, kind, text in _tokens(source):
        if kind == "comment":
            if found := _WANTS.match(text):
                for word in found[1].split():
                    key, _, values = word.partition("=")
                    wants[key] = (*wants.get(key, ()), *filter(None, values.split(",")))
            continue
        before = [*before[-4:], (kind, text)]
        if kind == "string":
            line, counted = line + source.count("\n", counted, at), at
            name_line = line
        # . test ( "name" ,
        if len(before) == 5 and before[4][1] == "," and before[2] == ("mark", "(") and before[3][0] == "string":
            if before[0] in (("mark", "."), ("mark", ":")) and before[1][1] in _MAKERS:
                names.append(before[3][1])
                lines.append(name_line)
    return Outline(tuple(names), tuple(lines), wants)


def _tokens(source: str) -> Iterator[tuple[int, str, str]]:
    for found in _TOKEN.finditer(source):
        at, kind = found.start(), found.lastgroup
        if found["comment"] is not None:
            yield at, "comment", found["comment"]
        elif found["long"] is not None:
            yield at, "string", found["inside"].removeprefix("\n")
        elif kind == "string":
            yield at, "string", _unescaped(found["string"][1:-1])
        elif kind != "space":
            yield at, str(kind), found[0]


def _unescaped(written: str) -> str:
    """The text of a string; escapes stand for bytes, of which a character may need several."""
    return _ESCAPE.sub(_meant, written.encode("utf-8", "replace")).decode("utf-8", "replace")


def _meant(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if what.isdigit():
        return bytes([int(what) & 0xFF])
    match what[:1]:
        case b"x" if len(what) > 1:
            return bytes([int(what[1:], 16)])
        case b"u" if len(what) > 1:
            return chr(min(int(what[2:-1], 16), 0x10FFFF)).encode("utf-8", "replace")
        case b"z":
            return b""
    return _ESCAPES.get(what, what)
