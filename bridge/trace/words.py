"""Takes the secrets out of messages: same length, same shape, other bytes.

What a call does is known by the source that came before it, so this listens to both directions of one epoch.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from bridge.errors import BridgeError
from bridge.trace.secrets import (
    Known,
    Scanner,
    Span,
    blanked,
    find_secrets,
    is_secret_name,
    literals,
    merge,
    reads_secret,
    takes_secret,
)
from bridge.wire import messages
from bridge.wire.messages import Call, DirectCall, Direction, Event, Failure, Message, Reply, Source
from bridge.wire.values import Aside, Handle, Opaque, Value

#: Contexts (a handle's data, a function's arguments) whose last words are remembered.
_CONTEXTS = 64
#: A literal in a program that configures Wi-Fi may be its key; shorter ones cannot be.
_KEY_LENGTH = 8


@dataclasses.dataclass(frozen=True)
class _Sort:
    """What is known of a function or chunk by its source."""

    takes: bool = False
    reads: bool = False

    @property
    def secret(self) -> bool:
        return self.takes or self.reads


class Words:
    """Elides the messages of one epoch.

    Args:
        known: secrets seen so far; more are added.
        wary: the epoch began unseen: a call whose source was not seen may read a secret.
    """

    def __init__(self, known: Known | None = None, *, wary: bool = False) -> None:
        self._known = Known() if known is None else known
        self._unseen = _Sort(takes=wary, reads=wary)
        self._shapes: dict[int, _Sort] = {}
        self._calls: dict[int, _Sort] = {}
        self._asides: set[int] = set()
        self._scanners: dict[str, Scanner] = {}

    @property
    def reading(self) -> bool:
        """A call is under way that may print a secret without a name."""
        return any(sort.reads for sort in self._calls.values())

    def goes_on(self, data: bytes, *, began: bool) -> bool:
        """True if a message to the board is to be looked at together with the ones that follow: a piece of source.

        Args:
            data: the message.
            began: pieces of source came before it.
        """
        message = _decoded(data, Direction.TO_BOARD)
        return isinstance(message, Source) or (began and not isinstance(message, Call | DirectCall))

    def to_board(self, group: list[bytes]) -> list[bytes]:
        """Elide some pieces of source and the message that follows them.

        Args:
            group: encoded messages, up to the one for which `goes_on` is false.

        Returns:
            As many messages, each as long as it was.
        """
        decoded = [_decoded(data, Direction.TO_BOARD) for data in group]
        text = b"".join(message.text for message in decoded if isinstance(message, Source))
        sort = _Sort(takes_secret(text), reads_secret(text))
        spans = self._source(text, sort)
        out = []
        at = 0
        for data, message in zip(group, decoded, strict=True):
            if isinstance(message, Source):
                end = at + len(message.text)
                inside = [(max(a, at) - at, min(b, end) - at) for a, b in spans if a < end and b > at]
                out.append(_encoded(data, dataclasses.replace(message, text=blanked(message.text, inside)), message))
                at = end
            elif isinstance(message, Call | DirectCall):
                out.append(self._call(data, message, sort if text else self._shapes.get(message.shape, self._unseen)))
                if text:
                    self._shapes[message.shape] = sort
            else:
                out.append(self._other(data, message))
        return out

    def to_host(self, data: bytes) -> bytes:
        """Elide a message of the board."""
        message = _decoded(data, Direction.TO_HOST)
        if isinstance(message, Reply | Failure):
            sort = self._calls.pop(message.call_id, self._unseen)
            if isinstance(message, Reply) and sort.secret:
                self._asides.update(value.number for value in message.values if isinstance(value, Aside))
                return self._valued(data, message, whole=True)
        return self._other(data, message)

    def _source(self, text: bytes, sort: _Sort) -> list[Span]:
        spans = find_secrets(text)
        for start, stop in spans:
            self._known.add(text[start:stop])
        if sort.takes:
            # Which of its strings is the key, only the board finds out.
            strings = literals(text)
            for start, stop in strings:
                if stop - start >= _KEY_LENGTH:
                    self._known.add(text[start:stop])
            spans += strings
        return merge([*spans, *self._known.spans(text)])

    def _call(self, data: bytes, call: Call | DirectCall, sort: _Sort) -> bytes:
        if isinstance(call, DirectCall) and int.from_bytes(call.arguments[:2], "big") in self._asides:
            # What the board had put aside is fetched: the rest of an answer.
            sort = _Sort(sort.takes, reads=True)
        if call.call_id:
            self._calls.pop(call.call_id, None)
            if sort.secret or self._unseen.secret:
                self._calls[call.call_id] = sort
        return self._other(data, call) if isinstance(call, DirectCall) else self._valued(data, call, whole=sort.takes)

    def _other(self, data: bytes, message: Message | None) -> bytes:
        if message is None:
            return blanked(data, merge([*find_secrets(data), *self._known.spans(data)]))
        if isinstance(message, DirectCall):
            kept = self._arguments(message.arguments, self._scanner(_context(message)))
            return data if kept == message.arguments else data[: len(data) - len(kept)] + kept
        return self._valued(data, message, whole=False) if hasattr(message, "values") else data

    def _valued(self, data: bytes, message: Message, *, whole: bool) -> bytes:
        values: tuple[Value, ...] = getattr(message, "values", ())
        scanner = self._scanner(_context(message))
        kept = tuple(self._all(list(values), scanner, whole))
        # `replace` is typed for the base, which has no values.
        return data if kept == values else _encoded(data, dataclasses.replace(message, values=kept), message)  # type: ignore[call-arg]

    def _scanner(self, context: str) -> Scanner:
        scanner = self._scanners.pop(context, None) or Scanner()
        self._scanners[context] = scanner
        if len(self._scanners) > _CONTEXTS:
            del self._scanners[next(iter(self._scanners))]
        return scanner

    def _arguments(self, data: bytes, scanner: Scanner) -> bytes:
        """Of one of the agent's own functions: a handle in two bytes, nearly always, and what is sent through it."""
        spans = find_secrets(data) + [(start + 2, stop + 2) for start, stop in scanner.spans(data[2:])]
        for start, stop in spans:
            self._known.add(data[start:stop])
        kept = bytearray(data)
        for start, stop in merge([*spans, *self._known.spans(data)]):
            kept[start:stop] = b"*" * (stop - start)
        return bytes(kept)

    def _all(self, values: list[Value], scanner: Scanner, whole: bool) -> Iterator[Value]:
        named = False
        for value in values:
            yield self._value(value, scanner, whole or named)
            named = isinstance(value, bytes) and is_secret_name(value)  # ("pwd", "hunter2")

    def _value(self, value: Value, scanner: Scanner, whole: bool) -> Value:
        match value:
            case bytes():
                spans = [(0, len(value))] if whole else scanner.spans(value)
                for start, stop in spans:
                    self._known.add(value[start:stop])
                kept = bytearray(value)
                for start, stop in merge([*spans, *self._known.spans(value)]):
                    kept[start:stop] = b"*" * (stop - start)
                return bytes(kept)
            case int() if whole and not isinstance(value, bool):
                digits = str(abs(value))
                self._known.add(digits.encode())
                # As many digits, so that it is as long on the line.
                return value if len(digits) < 3 else int(str(value).replace(digits, "9" * len(digits)))
            case list():
                return list(self._all(value, scanner, whole))
            case dict():
                return {
                    key: self._value(item, scanner, whole or (isinstance(key, bytes) and is_secret_name(key)))
                    for key, item in value.items()
                }
            case Opaque():
                return Opaque(self._value(value.text, scanner, whole))
        return value


def _context(message: Message) -> str:
    """Whose words these are: what one handle receives, or is sent, goes on from one message to the next."""
    match message:
        case Event(handle):
            return f"event {handle}"
        case DirectCall(shape, _, arguments):
            return f"direct {shape} {arguments[:2].hex()}"
        case Call(shape, _, values):
            return f"call {shape} {next((value for value in values if isinstance(value, Handle)), '')}"
    return type(message).__name__


def _decoded(data: bytes, direction: Direction) -> Message | None:
    try:
        return messages.decode(data, direction)
    except BridgeError:
        return None


def _encoded(data: bytes, kept: Message, was: Message) -> bytes:
    """The bytes of an elided message: those of the original with only the strings exchanged, if that can be done."""
    direction = messages.OPCODES[type(was)][1].direction
    out = bytearray(data)
    at = 0
    for old, new in zip(_strings(was), _strings(kept), strict=True):
        at = data.find(old, at)
        if at < 0:
            break
        out[at : at + len(old)] = new
        at += len(old)
    if _decoded(bytes(out), direction) == kept:
        return bytes(out)
    try:
        again = messages.encode(kept)
    except BridgeError:
        again = b""
    return again if len(again) == len(data) else _hidden(data, was)


def _hidden(data: bytes, was: Message) -> bytes:
    """The last way out: a message of the same kind and length whose only value is a string that says nothing."""
    for spare in range(max(len(data) - 24, 0), len(data)):
        with contextlib.suppress(BridgeError, TypeError):
            again = messages.encode(dataclasses.replace(was, values=(b"*" * spare,)))  # type: ignore[call-arg]
            if len(again) == len(data):
                return again
    return data[:2] + b"*" * (len(data) - 2)


def _strings(value: object) -> Iterator[bytes]:
    """Every string in a message, in the order in which they stand on the line."""
    match value:
        case bytes():
            yield value
        case Opaque():
            yield value.text
        case tuple() | list():
            for item in value:
                yield from _strings(item)
        case dict():
            for key, item in value.items():
                yield from _strings(key)
                yield from _strings(item)
        case Message():
            for field in dataclasses.fields(value):
                yield from _strings(getattr(value, field.name))
