"""Makes Lua source small: no comments, no spaces that are not needed, short names for locals, and numbers for the
fields of one table.

The agent's source is written to be read; what travels to the board costs wire time and, while it is compiled, eight
times its size in heap (1 KB of source, 8 KB at the peak: recording mem_chunks). A field with a number costs 12 bytes
of heap in the table's array, one with a name 32 and its string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bridge.errors import LocalProtocolError

_TOKEN = re.compile(
    r"""(?P<space>\s+|--(?!\[\[)[^\n]*)
      |(?P<name>[A-Za-z_]\w*)
      |(?P<number>0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?)
      |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      |(?P<mark>\.\.\.|\.\.|[=~<>]=|[-+*/%^\#=<>(){}\[\];:,.])""",
    re.VERBOSE | re.DOTALL,
)

_KEYWORDS = frozenset(
    "and break do else elseif end false for function if in local nil not or repeat return then true until while".split()
)
#: Globals that may also be the names of locals which hold them; those keep their names.
_GLOBALS = frozenset(
    "type tostring tonumber pairs ipairs next select unpack error pcall load loadstring print rawget rawset "
    "string table math node uart tmr net ow bit file wifi gpio adc crypto encoder struct sjson tls _G _VERSION".split()
)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise LocalProtocolError(f"Lua source cannot be read at {source[at : at + 20]!r}")
        at = found.end()
        kind = str(found.lastgroup)
        text = found.group()
        if kind == "name" and text in _KEYWORDS:
            kind = "keyword"
        if kind != "space":
            yield kind, text


def short_names(taken: Iterable[str] = ()) -> Iterator[str]:
    """a, b, … z, A, … Z, aa, … without Lua's keywords, the firmware's globals, and names that are taken."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    unusable = _KEYWORDS | _GLOBALS | set(taken)
    for first in ["", *letters]:
        for last in letters:
            if first + last not in unusable:
                yield first + last


def field_numbers(sources: Iterable[str], table: str, first: Iterable[str]) -> dict[str, int]:
    """A number for every field of the table `table` that the sources name (`table.field`).

    Args:
        sources: Lua sources.
        table: name of the table in them.
        first: the fields that get the numbers from 1 on; the others follow as they come.
    """
    numbers = {name: number for number, name in enumerate(first, 1)}
    for source in sources:
        for name in re.findall(rf"\b{table}\.([A-Za-z_]\w*)", source):
            numbers.setdefault(name, len(numbers) + 1)
    return numbers


def _locals(tokens: list[tuple[str, str]]) -> list[str]:
    names: list[str] = []

    def take(at: int) -> int:
        """Names separated by commas from `at` on."""
        while at < len(tokens) and tokens[at][0] == "name":
            names.append(tokens[at][1])
            at += 1
            if at < len(tokens) and tokens[at][1] == ",":
                at += 1
            else:
                break
        return at

    for at, (_, text) in enumerate(tokens):
        if text == "local":
            take(at + 2 if tokens[at + 1][1] == "function" else at + 1)
        elif text == "for":
            take(at + 1)
        elif text == "function":
            opening = at + 1
            while tokens[opening][1] != "(":
                opening += 1
            take(opening + 1)
    return [name for name in dict.fromkeys(names) if name not in _GLOBALS]


def minify(source: str, *, table: str = "", fields: Mapping[str, int] | None = None) -> str:
    """Smaller source that does the same.

    Locals are renamed name by name, so a local must not bear the name of a global that the file uses; methods and
    fields are left alone.

    Args:
        source: Lua source without block comments and long strings.
        table: a local whose fields get the numbers in `fields`: `table.name` becomes `table[1]`.
        fields: name → number.
    """
    fields = fields or {}
    tokens = list(_tokens(source))
    mine = _locals(tokens)
    free = {text for kind, text in tokens if kind == "name" and text not in mine}
    names = dict(zip(mine, short_names(free), strict=False))
    out: list[str] = []
    last = ""
    open_brackets: list[str] = []
    declared = False  # `function table.name(` becomes `table[1]=function(`

    def put(text: str) -> None:
        nonlocal last
        if last and (last[-1].isalnum() or last[-1] == "_") and (text[0].isalnum() or text[0] == "_"):
            out.append(" ")
        elif last and last[-1] in ".-" and text[0] == last[-1]:
            out.append(" ")
        elif last and last[-1].isdigit() and text[0] == ".":
            out.append(" ")
        out.append(text)
        last = text

    for at, (kind, text) in enumerate(tokens):
        before = tokens[at - 1][1] if at else ""
        after = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "mark" and text in "({[":
            open_brackets.append(text)
        elif kind == "mark" and text in ")}]":
            open_brackets.pop()
        if text == "function" and after == table and table:
            declared = True
            continue
        if text == "." and before == table and tokens[at + 1][1] in fields:
            continue
        if kind == "name":
            if before in ("{", ",", ";") and after == "=" and open_brackets[-1:] == ["{"]:
                before = "."  # a key of a table constructor
            if before == "." and at > 1 and tokens[at - 2][1] == table and text in fields:
                put(f"[{fields[text]}]")
                if declared:
                    put("=")
                    put("function")
                    declared = False
                continue
            if before not in (".", ":"):
                text = names.get(text, text)
        put(text)
    return "".join(out)
