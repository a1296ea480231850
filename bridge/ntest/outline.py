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
_ESCAPE = re.compile(r"\\(\d{1,3}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": "\n"}
#: `-- board: modules=file,tmr tags=wired flash=4194304`
_WANTS = re.compile(r"^--+\s*board:\s*(.*)$")


@dataclass(frozen=True)
class Outline:
    """What a look at the source gives.

    Attributes:
        names: of its sub-tests, as far as they are written out, in their order.
        wants: what a comment `-- board: key=value,value …` asks for: key → values.
    """

    names: tuple[str, ...] = ()
    wants: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_outline(source: str) -> Outline:
    """Look at the source of a test file.

    Names that the file makes when it runs are not found here; a name that is written out and that never runs is.
    """
    names: list[str] = []
    wants: dict[str, tuple[str, ...]] = {}
    before: list[tuple[str, str]] = []
    for kind, text in _tokens(source):
        if kind == "comment":
            if found := _WANTS.match(text):
                for word in found[1].split():
                    key, _, values = word.partition("=")
                    wants[key] = (*wants.get(key, ()), *filter(None, values.split(",")))
            continue
        before = [*before[-4:], (kind, text)]
        # . test ( "name" ,
        if len(before) == 5 and before[4][1] == "," and before[2] == ("mark", "(") and before[3][0] == "string":
            if before[0] in (("mark", "."), ("mark", ":")) and before[1][1] in _MAKERS:
                names.append(before[3][1])
    return Outline(tuple(names), wants)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    for found in _TOKEN.finditer(source):
        kind = found.lastgroup
        if found["comment"] is not None:
            yield "comment", found["comment"]
        elif found["long"] is not None:
            yield "string", found["inside"].removeprefix("\n")
        elif kind == "string":
            yield "string", _ESCAPE.sub(_escaped, found["string"][1:-1])
        elif kind != "space":
            yield str(kind), found[0]


def _escaped(found: re.Match[str]) -> str:
    what = found[1]
    return chr(int(what)) if what.isdigit() else _ESCAPES.get(what, what)
