"""What in a piece of text must not be kept: keys of Wi-Fi, TLS and MQTT, passwords, and the values named like them.

A secret is found by what stands around it: a name such as `pwd` before it (`pwd="…"`, `["password"] = '…'`,
`"token": "…"`, `password=…&`), a function that takes one (`wifi.sta.config`), or the marks of a private key. Text comes
in pieces, so a `Scanner` remembers the end of what came before. What was found once is a `Known` secret and is found
again wherever it stands, also where nothing tells what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Span = tuple[int, int]

#: Names whose value is secret, as keys of tables.
_NAMES = re.compile(rb"pwd|pass(?:w|phrase|$)|psk|secret|token|key\d*$|authorization|^pw$", re.IGNORECASE)
#: Of these, those whose value may stand without quotes: `key = other` is common in programs.
_STRONG = re.compile(rb"pwd|pass|psk|secret|token|pw$", re.IGNORECASE)

# Quotes may stand in a string of Lua, or in a string that `bridge.loader` has quoted (decimal escapes).
_QUOTE = rb"(?:\\0?3[49]|\\{0,3}[\"'])"
_VALUE = re.compile(
    rb"(?P<name>(?:pwd|pass|psk|secret|token|key|authorization|(?<![a-z])pw)\w{0,20})"
    rb"(?:" + _QUOTE + rb")?\s{0,8}\]?[ \r\n]{0,8}"
    rb"(?:\t(?P<line>[^\r\n]+)|"
    rb"(?:[=:~]{1,2}|,|\.\.)\s{0,8}(?:" + _QUOTE + rb"\s{0,4}\.\.\s{0,4})?b?"
    rb"(?:(?P<q>" + _QUOTE + rb")(?P<quoted>(?:(?!(?P=q))(?:\\.|.))*+)|"
    rb"\[(?P<eq>=*)\[(?P<long>.*?)(?:\](?P=eq)\]|\Z)|"
    rb"(?P<bare>[^\s'\"&;,()\[\]{}<>]+)))",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(rb"authorization['\"]?\s{0,4}[:=]\s{0,4}(?P<value>[^\r\n'\"\\]+)", re.IGNORECASE)
#: The key of a network in the URL of a virtual board.
_WIFI = re.compile(rb"[?&]wifi=[^:&\s]*:(?P<value>[^&\s'\"]+)")
_USER = re.compile(rb"://[^/\s:@'\"]{0,200}:(?P<value>[^/\s@'\"]{1,200})@")
#: What follows a name without quotes and is no secret: words of Lua, and what NodeMCU says of a key that is no key.
_HARMLESS = re.compile(rb"nil|true|false|length:\d+-\d+|not|\.\.+|[=:~.]+")
#: The value goes on: "hun".."ter2".
_MORE = re.compile(
    rb"(?:" + _QUOTE + rb")?\s{0,8}\.\.\s{0,8}(?P<q>" + _QUOTE + rb")(?P<value>(?:(?!(?P=q))(?:\\.|.))*+)", re.S
)
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_PEM_END = b"-----END"
#: Bytes of a private key at most; one that does not end by then was none.
_PEM_SIZE = 16_384

#: Functions that take a secret as a plain argument (app/modules: wifi.c, mqtt.c, tls.c, crypto.c).
_TAKERS = re.compile(
    rb"\b(?:sta|ap)\s*\.\s*config\b|\bmqtt\s*\.\s*Client\b|\btls\s*\.\s*cert\b|"
    rb"\bcrypto\s*\.\s*(?:new_hmac|hmac|encrypt|decrypt)\b"
)
_CALLED = re.compile(_TAKERS.pattern.join((rb"(?:", rb")(?:\s*\.\s*\w+)?(?=\s*[({\"'\[\\])")))
#: Functions that return one, without a name before it (app/modules/wifi.c).
_READERS = re.compile(rb"(?<!\buart\.)\bget(?:default)?config\b|\bgetapinfo\b")
_LITERAL = re.compile(
    rb"\"(?P<a>(?:\\.|[^\"\\\n])*+)(?:\"|\Z)|'(?P<b>(?:\\.|[^'\\\n])*+)(?:'|\Z)|"
    rb"\[(?P<eq>=*)\[(?P<c>.*?)(?:\](?P=eq)\]|\Z)|\\034(?P<d>(?:(?!\\034).)*)",
    re.DOTALL,
)
#: Without any of these there is nothing to look for.
_HINT = re.compile(
    rb"pwd|pass|psk|secret|token|key|auth|pw|://|wifi=|config|getapinfo|mqtt|cert|hmac|crypt|PRIVATE", re.IGNORECASE
)
#: What cannot be printed and what can, by its length in UTF-8.
_FILLING = {False: ("\x01", "\x80", "\u200b", "\U000e0001"), True: ("*", "\xb7", "\u2022", "\U0001f511")}
_ESCAPE = re.compile(rb"\\(\d{1,3}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def is_secret_name(name: bytes) -> bool:
    """True if the value under this key of a table is secret."""
    return bool(_NAMES.search(name))


def takes_secret(source: bytes) -> bool:
    """True if a piece of Lua names a function that takes a secret as an argument."""
    return bool(_TAKERS.search(source))


def reads_secret(source: bytes) -> bool:
    """True if a piece of Lua names a function that returns a secret."""
    return bool(_READERS.search(source))


def literals(source: bytes) -> list[Span]:
    """Where the contents of string literals stand in a piece of Lua, without those that only name a function."""
    spans = []
    for found in _LITERAL.finditer(source):
        start, stop = found.span(found.lastgroup or 0) if found.lastgroup != "eq" else found.span("c")
        if stop > start and not _TAKERS.search(source, start, stop) and not _READERS.search(source, start, stop):
            spans.append((start, stop))
    return spans


def find_secrets(text: bytes) -> list[Span]:
    """Where secrets stand in a text that is whole; see `Scanner` for one that comes in pieces."""
    return Scanner().spans(text)


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same places, in order and without overlaps."""
    out: list[Span] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        elif stop > start:
            out.append((start, stop))
    return out


def fill(data: bytes) -> bytes:
    """As many bytes that say nothing. Text stays text and what is no text stays none, however it is cut: what is
    printable, or ends a line, or is no UTF-8 is so afterwards. 0x80 alone stays: it tells a board that has restarted at
    a speed eight times as slow from damage."""
    out = bytearray()
    for c in data.decode("utf-8", "surrogateescape"):
        if "\udc80" <= c <= "\udcff":
            out.append(0x80 if c == "\udc80" else 0xFF)
        else:
            out += (c if c in "\t\r\n\x1b" else _FILLING[c.isprintable()][len(c.encode()) - 1]).encode()
    return bytes(out)


def blanked(data: bytes, spans: Iterable[Span]) -> bytes:
    """The data with these places filled; read alike as a whole, so a character of several bytes is filled whole."""
    out = bytearray(data)
    filled = fill(data)
    for start, stop in spans:
        while start > 0 and data[start] & 0xC0 == 0x80:
            start -= 1
        while stop < len(data) and data[stop] & 0xC0 == 0x80:
            stop += 1
        out[start:stop] = filled[start:stop]
    return bytes(out)


def discreet_text(text: str) -> str:
    """A text that somebody else may read, such as what a board printed: as long, without what reads like a secret.

    It must be whole: of one that was cut before, what tells that it is a secret may be gone.
    """
    data = text.encode("utf-8", "backslashreplace")
    spans = find_secrets(data)
    return blanked(data, spans).decode("utf-8", "replace") if spans else text


class Scanner:
    """Finds secrets in a text that comes in pieces, wherever it is cut."""

    #: Bytes remembered of what came before.
    TAIL = 512

    def __init__(self) -> None:
        self._tail = b""
        self._private = 0

    def spans(self, data: bytes) -> list[Span]:
        """Where secrets stand in the next piece."""
        text = self._tail + data
        before = len(self._tail)
        self._tail = text[-self.TAIL :]
        spans = self._key(text, before)
        if _HINT.search(text):
            spans += [*_named(text), *_arguments(text)]
        return merge((max(start - before, 0), stop - before) for start, stop in spans if stop > before)

    def _key(self, text: bytes, before: int) -> list[Span]:
        """Private keys: `_private` counts down the bytes that may still belong to one that has begun."""
        spans = []
        at = before
        if not self._private:
            # The mark may have begun in the piece before; one that ended there has been seen.
            begun = (mark for mark in _PEM.finditer(text, max(before - 80, 0)) if mark.end() > before)
            if (found := next(begun, None)) is None:
                return []
            at, self._private = found.end(), _PEM_SIZE
        while self._private:
            # The mark of the end may itself have begun in the piece before.
            end = text.find(_PEM_END, max(at - len(_PEM_END), 0))
            stop = len(text) if end < 0 else end
            spans.append((at, stop))
            self._private = max(0, self._private - max(stop - at, 1)) if end < 0 else 0
            if end < 0:
                break
            if (another := _PEM.search(text, end)) is not None:
                at, self._private = another.end(), _PEM_SIZE
        return spans


def _named(text: bytes) -> Iterable[Span]:
    for pattern in (_HEADER, _USER, _WIFI):
        for header in pattern.finditer(text):
            yield header.span("value")
    at = 0
    # A value may hold the next name (`key` of `key="pwd"`), so go on behind the name and not behind the value.
    while (found := _VALUE.search(text, at)) is not None:
        at = found.end("name")
        for group in ("line", "quoted", "long", "bare"):
            start, stop = found.span(group)
            if start < 0 or start == stop:
                continue
            if group == "bare" and (not _STRONG.match(found["name"]) or _HARMLESS.fullmatch(found["bare"])):
                continue
            yield start, stop
            if group == "quoted":
                while (more := _MORE.match(text, stop)) is not None:
                    yield more.span("value")
                    stop = more.end("value")


def _arguments(text: bytes) -> Iterable[Span]:
    """String literals behind a function that takes a secret, to the end of its line."""
    for found in _CALLED.finditer(text):
        end = text.find(b"\n", found.end())
        piece = text[found.end() : end if end >= 0 else len(text)]
        for start, stop in literals(piece):
            yield found.end() + start, found.end() + stop


class Known:
    """Secrets that have been seen: found again by their bytes alone."""

    #: Shorter ones are not looked for: they would be found everywhere.
    LEAST = 4
    #: So many are remembered; the oldest are forgotten.
    MOST = 64

    def __init__(self) -> None:
        self._secrets: dict[bytes, None] = {}
        self._grams: frozenset[bytes] = frozenset()

    def add(self, secret: bytes) -> None:
        """Remember a secret, as it stands and as Lua reads it."""
        for form in {secret, _ESCAPE.sub(_unescaped, secret)}:
            if len(form) >= self.LEAST and form not in self._secrets and len(set(form)) > 1:
                self._secrets[form] = None
                if len(self._secrets) > self.MOST:
                    del self._secrets[next(iter(self._secrets))]
                self._grams = frozenset(
                    known[i : i + self.LEAST] for known in self._secrets for i in range(len(known) - self.LEAST + 1)
                )

    def spans(self, data: bytes) -> list[Span]:
        """Where a known secret stands."""
        out = []
        for secret in self._secrets:
            at = data.find(secret)
            while at >= 0:
                out.append((at, at + len(secret)))
                at = data.find(secret, at + 1)
        return merge(out)

    def near(self, data: bytes) -> list[Span]:
        """Where pieces of a known secret stand: for what the line may have damaged."""
        if not self._grams:
            return []
        size = self.LEAST
        return merge((i, i + size) for i in range(len(data) - size + 1) if data[i : i + size] in self._grams)


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if what.isdigit():
        return bytes((int(what) & 0xFF,))
    if len(what) == 3:
        return bytes((int(what[1:], 16),))
    return _ESCAPED.get(what, what)
