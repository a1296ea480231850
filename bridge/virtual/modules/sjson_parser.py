"""A JSON reader that takes text in pieces, with the state machine and the error names of jsonsl (app/sjson).

It is more lenient than JSON in places, and stops where jsonsl stops: what it lets through, the board lets through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntFlag

_WHITE = b" \t\n\r"
_ENDS = b' \t\n\r",:[\\]{}'
_ESCAPES = b'"/\\bfnrtu'
_DIGITS = b"0123456789"


class Special(IntFlag):
    """What is known of a value that is neither string nor container (`JSONSL_SPECIALf_*`)."""

    SIGNED = 1
    UNSIGNED = 2
    TRUE = 4
    FALSE = 8
    NULL = 16
    FLOAT = 32
    EXPONENT = 64
    ZERO = 512 | 2
    DASH = 1024
    NUMERIC = SIGNED | UNSIGNED


_FIRST = {byte: Special.UNSIGNED for byte in b"123456789"} | {
    ord("-"): Special.DASH,
    ord("0"): Special.ZERO,
    ord("t"): Special.TRUE,
    ord("f"): Special.FALSE,
    ord("n"): Special.NULL,
}
_WORDS = {Special.TRUE: b"true", Special.FALSE: b"false", Special.NULL: b"null"}


class What(Enum):
    """Kinds of event."""

    OPEN = "open"
    CLOSE = "close"
    KEY = "key"
    STRING = "string"
    NUMBER = "number"
    WORD = "word"


@dataclass(frozen=True)
class Event:
    """A piece of the document: a container opened or closed, a key, or a value with its text.

    `text` is the raw text: of strings what stands between the quotes (and a little behind, for a broken escape at
    the end), of numbers and words all of it.
    """

    what: What
    text: bytes = b""


class JsonFault(Exception):
    """The text is not what jsonsl takes; the argument is its name for the error."""


@dataclass
class _State:
    kind: str
    begin: int = 0
    elements: int = 0
    special: Special = Special(0)
    length: int = 0


class Parser:
    """Reads one document.

    Args:
        levels: how deep containers and values may nest, plus one.
    """

    def __init__(self, levels: int) -> None:
        self._levels = levels
        self._stack = [_State("")]
        self._text = bytearray()
        self._position = 0
        self._can_insert = True
        self._expecting = ""
        self._last = ""
        self._escaped = False

    @property
    def depth(self) -> int:
        """Containers and values that are open."""
        return len(self._stack) - 1

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take more text; gives the events one by one.

        Raises:
            JsonFault: at the byte where jsonsl notices.
        """
        self._text += data
        while self._position < len(self._text):
            yield from self._take(self._text[self._position])
            self._position += 1

    def _take(self, byte: int) -> Iterator[Event]:
        state = self._stack[-1]
        if state.kind in ("string", "key"):
            yield from self._in_string(state, byte)
        elif state.kind == "special":
            if self._in_special(state, byte):
                return
            yield self._pop_special(state, byte)
            if byte not in _WHITE:
                yield from self._structure(self._stack[-1], byte)
        elif byte in _WHITE:
            return
        elif byte in _FIRST:
            self._begin_special(state, byte)
        elif byte == ord('"'):
            self._begin_string(state)
        elif byte == ord("\\"):
            raise JsonFault("ESCAPE_OUTSIDE_STRING")
        else:
            yield from self._structure(state, byte)

    def _in_string(self, state: _State, byte: int) -> Iterator[Event]:
        if self._escaped:
            self._escaped = False
            if byte not in _ESCAPES:
                raise JsonFault("ESCAPE_INVALID")
        elif byte == ord("\\"):
            self._escaped = True
        elif byte == ord('"'):
            self._can_insert = False
            text = bytes(self._text[state.begin + 1 : self._position])
            self._stack.pop()
            yield Event(What.KEY if state.kind == "key" else What.STRING, text)
        elif byte < 0x14:
            raise JsonFault("WEIRD_WHITESPACE")

    def _begin_string(self, state: _State) -> None:
        self._can_insert = False
        if state.kind == "{":
            state.elements += 1
            if state.elements % 2 == 0:
                if self._last != ":":
                    raise JsonFault("MISSING_TOKEN")
                kind, expecting = "string", ","
            else:
                if self._expecting != '"':
                    raise JsonFault("STRAY_TOKEN")
                kind, expecting = "key", ":"
        elif state.kind == "[":
            state.elements += 1
            kind, expecting = "string", ","
        else:
            raise JsonFault("STRING_OUTSIDE_CONTAINER")
        self._expecting, self._last = expecting, ""
        self._push(kind)

    def _begin_special(self, state: _State, byte: int) -> None:
        special = _FIRST.get(byte)
        if special is None:
            if byte == 0:
                raise JsonFault("FOUND_NULL_BYTE")
            raise JsonFault("WEIRD_WHITESPACE" if byte < 0x20 else "SPECIAL_EXPECTED")
        self._ensure_key_seen(state)
        state.elements += 1
        if not self._can_insert:
            raise JsonFault("CANT_INSERT")
        inner = self._push("special")
        inner.special, inner.length = special, 1
        self._last = "1" if special == Special.UNSIGNED else "-"

    def _in_special(self, state: _State, byte: int) -> bool:
        """True while the byte belongs to the value."""
        special = state.special
        if special in (Special.UNSIGNED, Special.SIGNED):
            return byte in _DIGITS or self._in_number(state, byte)
        if special == Special.DASH:
            if byte not in _DIGITS:
                raise JsonFault("INVALID_NUMBER")
            state.special = Special.ZERO | Special.SIGNED if byte == ord("0") else Special.SIGNED
            return True
        if special == Special.ZERO:
            if byte in _DIGITS:
                raise JsonFault("INVALID_NUMBER")
            state.special = Special.UNSIGNED
            return self._in_number(state, byte)
        if special & Special.NUMERIC:
            return self._in_number(state, byte)
        if byte in _ENDS:
            return False
        state.length += 1
        at = self._position - state.begin
        word = _WORDS[special]
        if at >= len(word) or byte != word[at]:
            raise JsonFault("SPECIAL_EXPECTED")
        return True

    def _in_number(self, state: _State, byte: int) -> bool:
        if byte in _DIGITS:
            self._last = "1"
            return True
        if byte in b".eE":
            flag = Special.FLOAT if byte == ord(".") else Special.EXPONENT
            if state.special & flag:
                raise JsonFault("INVALID_NUMBER")
            state.special |= flag
            self._last = "." if flag == Special.FLOAT else "e"
            return True
        if byte in b"+-":
            if self._last != "e":
                raise JsonFault("INVALID_NUMBER")
            self._last = "-"
            return True
        if byte in _ENDS:
            return False
        raise JsonFault("INVALID_NUMBER")

    def _pop_special(self, state: _State, byte: int) -> Event:
        self._can_insert = False
        special = state.special
        whole = special in (Special.UNSIGNED, Special.SIGNED, Special.ZERO, Special.ZERO | Special.SIGNED)
        if special & Special.NUMERIC:
            if not whole and self._last != "1":
                raise JsonFault("INVALID_NUMBER")
        elif state.length != len(_WORDS[special]):
            raise JsonFault("SPECIAL_INCOMPLETE")
        self._stack.pop()
        self._expecting, self._last = ",", ""
        text = bytes(self._text[state.begin : self._position])
        return Event(What.NUMBER if special & Special.NUMERIC else What.WORD, text)

    def _structure(self, state: _State, byte: int) -> Iterator[Event]:
        token = chr(byte)
        if token in ":,":
            if self._expecting != token:
                raise JsonFault("STRAY_TOKEN")
            self._last = token
            if token == ":" or state.kind != "{":
                self._can_insert = True
            self._expecting = '"'
        elif token in "{[":
            if not self._can_insert:
                raise JsonFault("CANT_INSERT")
            self._ensure_key_seen(state)
            state.elements += 1
            self._push(token)
            self._can_insert = True
            if token == "{":
                self._expecting = '"'
            yield Event(What.OPEN, bytes((byte,)))
            self._last = ""
        elif token in "}]":
            yield self._close(state, token)
        elif state.kind != "special":
            self._begin_special(state, byte)

    def _close(self, state: _State, token: str) -> Event:
        if self._last == ",":
            raise JsonFault("TRAILING_COMMA")
        self._can_insert, self._expecting, self._last = False, ",", ""
        if state.kind != ("[" if token == "]" else "{"):
            raise JsonFault("BRACKET_MISMATCH")
        if token == "}" and state.elements % 2:
            raise JsonFault("VALUE_EXPECTED")
        self._stack.pop()
        return Event(What.CLOSE, token.encode())

    def _ensure_key_seen(self, state: _State) -> None:
        if state.kind == "{" and state.elements % 2 == 0:
            raise JsonFault("HKEY_EXPECTED")

    def _push(self, kind: str) -> _State:
        if self.depth >= self._levels - 1:
            raise JsonFault("LEVELS_EXCEEDED")
        state = _State(kind, self._position)
        self._stack.append(state)
        return state


def unescape(text: bytes) -> bytes:
    """The string behind what stands between the quotes, as `push_string` reads it.

    Surrogates become "?"; the digits of `\\u` are not checked.
    """
    if b"\\" not in text:
        return text
    plain = bytearray()
    at = 0
    while at < len(text):
        byte = text[at]
        at += 1
        if byte != ord("\\") or at >= len(text):
            plain.append(byte)
            continue
        byte = text[at]
        at += 1
        if byte == ord("u"):
            code = 0
            for digit in text[at : at + 4].ljust(4, b"0"):
                code = code << 4 | (digit & 0xF if digit <= ord("9") else (digit - ord("A") + 10) & 0xF)
            at += 4
            plain += b"?" if 0xD800 <= code < 0xE000 else chr(code).encode()
        else:
            plain.append({ord("b"): 8, ord("f"): 12, ord("n"): 10, ord("r"): 13, ord("t"): 9}.get(byte, byte))
    return bytes(plain)
