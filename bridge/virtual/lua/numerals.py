"""Numerals in source text, made to mean what the chip's compiler takes them for.

The host's compiler reads doubles and 64-bit integers, and folds constants before anybody else sees them. So a numeral
that the chip reads otherwise is rewritten in the source. What stands around it stays, and so do the lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_INT_MAX = 0x7FFFFFFF
_MASK = 0xFFFFFFFF
#: A comment, a string, a name or a numeral; everything else byte by byte.
_TOKEN = re.compile(
    rb"--\[(?P<a>=*)\[.*?\](?P=a)\]|--[^\n]*|\[(?P<b>=*)\[.*?\](?P=b)\]"
    rb"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[A-Za-z_]\w*|(?P<numeral>\.?\d[\d.]*(?:[Ee][+-]?)?\w*)|\.+|.",
    re.DOTALL,
)
_DECIMAL, _HEXADECIMAL = re.compile(rb"\d+"), re.compile(rb"0[xX][0-9A-Fa-f]+")


@dataclass(frozen=True)
class Malformed:
    """A numeral that an int cannot be read from.

    Args:
        text: the numeral.
        at: where it begins in the source.
        line: on which line, from 1.
    """

    text: bytes
    at: int
    line: int


def malformed(source: bytes) -> Malformed | None:
    """The first numeral of which the lexer of the integer build complains (`read_numeral` in app/lua/llex.c).

    Args:
        source: Lua source.
    """
    for token in _TOKEN.finditer(source):
        numeral, at = token["numeral"], token.start()
        if numeral is None:
            continue
        if _is_whole(numeral):
            continue
        # Digits and points come first, then letters: behind an "0x..." a point begins a numeral of its own.
        head = re.match(rb"0[xX]\w*(?=\.)", numeral)
        if head is not None and _is_whole(head[0]):
            numeral, at = numeral[head.end() :], at + head.end()
        return Malformed(numeral, at, source.count(b"\n", 0, at) + 1)
    return None


def _is_whole(numeral: bytes) -> bool:
    return bool(_DECIMAL.fullmatch(numeral) or _HEXADECIMAL.fullmatch(numeral))


def of_ints(source: bytes) -> bytes:
    """Source of the integer build of 5.1 with its numerals as `strtol` and `strtoul` of 32 bits read them.

    Decimal numerals end at the largest int, hexadecimal ones wrap into negative numbers (app/lua/lobject.c
    `luaO_str2d`).
    """
    return _replaced(source, decimal=lambda value: b"%d" % _INT_MAX, most_hexadecimal=_MASK)


def of_5_3(source: bytes) -> bytes:
    """Source of 5.3 with its numerals as a compiler with 32-bit integers reads them.

    Decimal numerals beyond the largest integer are floats, hexadecimal ones wrap around (app/lua53/lobject.c
    `l_str2int`).
    """
    return _replaced(source, decimal=lambda value: b"%d.0" % value, most_hexadecimal=None)


def _replaced(source: bytes, *, decimal: Callable[[int], bytes], most_hexadecimal: int | None) -> bytes:
    if not re.search(rb"\d{10}|0[xX]\w{8}", source):
        return source

    def instead(token: re.Match[bytes]) -> bytes:
        numeral = token["numeral"]
        if numeral is None:
            return token[0]
        if _HEXADECIMAL.fullmatch(numeral):
            value = int(numeral, 16)
            if value <= _INT_MAX:
                return numeral
            value = _MASK if most_hexadecimal is not None and value > most_hexadecimal else value & _MASK
            signed = value - (value >> 31 << 32)
            return b"%d" % signed if signed >= 0 else b"(%d)" % signed
        if _DECIMAL.fullmatch(numeral) and int(numeral) > _INT_MAX:
            return decimal(int(numeral))
        return numeral

    return _TOKEN.sub(instead, source)
