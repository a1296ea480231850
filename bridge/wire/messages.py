"""The words of the link: what a message is, in one table.

`MESSAGES` is the only place where an opcode, its fields and their forms are written. The codec below, the constants
in the agent's Lua (`bridge.agent` renders `@CALL@` and its like from here), the table in PROTOCOL.md and the log
lines are all derived from it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum

from bridge.errors import LocalProtocolError, RemoteProtocolError, ValueRefused
from bridge.wire.values import Value, decode_values, encode_values

#: Bytes of one encoded message to the board at most. The agent joins the fragments of a message into one string, and
#: a string of 4096 bytes cannot be built in the collector mode the firmware starts in (recording net_str4096).
MAX_MESSAGE = 2048

#: Bytes of Lua source in one message at most: compiling needs eight times its size on the board for a moment.
MAX_SOURCE = 1000

#: The same to the host, which has room for whatever a board can hold.
MAX_MESSAGE_TO_HOST = 70_000

#: What an event with received data costs besides its bytes: a peer that sends single bytes would fill the board's heap
#: with events of one byte.
EVENT_COST = 64

#: Credit of a socket: what it may deliver before the host says it has used some. One window of the board's stack (5 840
#: bytes) is its reserve, because so much may still come after `hold`; the rest is what is on its way over the line.
CREDIT = 5840 + 2 * (1460 + EVENT_COST)

#: Code with which the agent ends a connection that brings more than the board's heap holds (lwIP's ERR_MEM).
NO_ROOM = -1

#: Bytes of user data that one message may carry with room for the other fields: a full TCP segment and more.
MAX_CHUNK = 1536


class Direction(Enum):
    """Who sends a message."""

    TO_BOARD = ">"
    TO_HOST = "<"


class EventCode(IntEnum):
    """Short names for events that come often; the mirror sees the names in lower case."""

    CONNECTION = 1
    RECONNECTION = 2
    DISCONNECTION = 3
    RECEIVE = 4
    SENT = 5
    DNS = 6
    ACCEPT = 7


@dataclass(frozen=True)
class Message:
    """Base of all messages."""


@dataclass(frozen=True)
class Call(Message):
    """Call a function of the board by its shape's number, which stands where other messages have their opcode."""

    shape: int
    """Number of the function, 64 to 252. Source before such a number makes that function first: it is run with the
    agent's table as its argument, and must return the function. 0 runs the source sent before once, with the values as
    its `...`; so does 253 with the agent's table as its `...`, and then one value comes back."""
    call_id: int
    """1 to 255, not in use by another call; 0 asks for no reply."""
    values: tuple[Value, ...] = ()
    """The arguments."""


@dataclass(frozen=True)
class DirectCall(Message):
    """As `Call`, of one of the agent's own functions, which reads its arguments itself."""

    shape: int
    """1 to 63."""
    call_id: int
    arguments: bytes = b""
    """As the function wants them: handles and numbers of two bytes each, high one first, then bytes to the end."""


@dataclass(frozen=True)
class Source(Message):
    """A piece of Lua source for the next call whose shape is not compiled yet (or is 0)."""

    text: bytes
    """At most `MAX_SOURCE` bytes; pieces are joined in order, without anything between."""


@dataclass(frozen=True)
class Tune(Message):
    """How the board is to send from now on. Made and read by the sessions themselves, never by their users."""

    fragment: int
    """Payload of one frame at most, in bytes."""


@dataclass(frozen=True)
class Hello(Message):
    """First message of an agent in an epoch."""

    digest: bytes
    """Eight bytes that name the agent's version (`bridge.agent.digest`)."""
    values: tuple[Value, ...] = ()
    """Free heap in bytes, then Lua's `_VERSION`."""


@dataclass(frozen=True)
class Reply(Message):
    """A call came to its end."""

    call_id: int
    values: tuple[Value, ...] = ()
    """What the function returned."""


@dataclass(frozen=True)
class Failure(Message):
    """A call raised a Lua error."""

    call_id: int
    """0: the call wanted no reply, or the error was caught in a callback of the agent, or something was dropped."""
    values: tuple[Value, ...] = ()
    """The error value: nearly always one string, Lua's own text."""


@dataclass(frozen=True)
class Event(Message):
    """Something happened to a handle."""

    handle: int
    """Number of the handle; 0 is the agent itself."""
    event: int
    """An `EventCode`, or 0: then the first value is the event's name."""
    values: tuple[Value, ...] = ()
    """What NodeMCU's callback got, without the object itself."""


@dataclass(frozen=True)
class Invoke(Message):
    """Lua called a host function."""

    callback: int
    dropped: int = 0
    """Calls of this function that the board has dropped since the last one that it sent."""
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Ask(Message):
    """Lua called a host function and waits for what it returns."""

    callback: int
    call_id: int
    """The call in which it did; the answer is a direct call of `wait.resume` with this number."""
    values: tuple[Value, ...] = ()


Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """One row of the table."""

    kind: type[Message]
    direction: Direction
    fields: Fields
    """Name of the field and its form: "u8", "u16" (high byte first), "bytes8", "rest" (bytes to the end), "values"
    (to the end)."""

    @property
    def name(self) -> str:
        """As it stands in logs and, with @ around it, in the agent's source."""
        return self.kind.__name__.upper()


#: Stand for the opcodes to the board that are the numbers of shapes.
CALL, DIRECT_CALL = 0, 1
#: Numbers of shapes: direct calls are below the first, source that is run once with the agent's table has the last.
FIRST_SHAPE, ONCE = 64, 253

#: Opcode → message. The two directions number their messages separately.
MESSAGES: dict[tuple[Direction, int], Entry] = {
    (entry.direction, opcode): entry
    for opcode, entry in (
        (CALL, Entry(Call, Direction.TO_BOARD, (("shape", "u8"), ("call_id", "u8"), ("values", "values")))),
        (
            DIRECT_CALL,
            Entry(DirectCall, Direction.TO_BOARD, (("shape", "u8"), ("call_id", "u8"), ("arguments", "rest"))),
        ),
        (254, Entry(Tune, Direction.TO_BOARD, (("fragment", "u8"),))),
        (255, Entry(Source, Direction.TO_BOARD, (("text", "rest"),))),
        (1, Entry(Hello, Direction.TO_HOST, (("digest", "bytes8"), ("values", "values")))),
        (2, Entry(Reply, Direction.TO_HOST, (("call_id", "u8"), ("values", "values")))),
        (3, Entry(Failure, Direction.TO_HOST, (("call_id", "u8"), ("values", "values")))),
        (4, Entry(Event, Direction.TO_HOST, (("handle", "u16"), ("event", "u8"), ("values", "values")))),
        (5, Entry(Invoke, Direction.TO_HOST, (("callback", "u16"), ("dropped", "u16"), ("values", "values")))),
        (6, Entry(Ask, Direction.TO_HOST, (("callback", "u16"), ("call_id", "u8"), ("values", "values")))),
    )
}

#: Message type → opcode and row; the table read the other way.
OPCODES: dict[type[Message], tuple[int, Entry]] = {
    entry.kind: (opcode, entry) for (_, opcode), entry in MESSAGES.items()
}

_SIZES = {"u8": 1, "u16": 2, "bytes8": 8}
_PACK: dict[str, Callable[[Value], bytes]] = {
    "u8": lambda value: int(value).to_bytes(1, "big"),
    "u16": lambda value: int(value).to_bytes(2, "big"),
    "bytes8": bytes,
    "rest": bytes,
    "values": encode_values,
}
_UNPACK: dict[str, Callable[[bytes], Value]] = {
    "u8": lambda data: data[0],
    "u16": lambda data: int.from_bytes(data, "big"),
    "bytes8": bytes,
    "rest": bytes,
    "values": decode_values,
}


def encode(message: Message) -> bytes:
    """The bytes of a message.

    Raises:
        LocalProtocolError: a field does not fit its form.
        ValueRefused: a value has no form, or the whole is longer than `MAX_MESSAGE`.
    """
    opcode, entry = OPCODES[type(message)]
    out = bytearray()
    if not isinstance(message, Call | DirectCall):
        out.append(opcode)
    elif message.shape > ONCE or _kind_of(message.shape) is not type(message):
        raise LocalProtocolError(f"{entry.name}: shape={message.shape} does not fit the wire")
    for name, form in entry.fields:
        value = getattr(message, name)
        try:
            to_host = form == "values" and entry.direction is Direction.TO_HOST
            piece = encode_values(value, to_host=True) if to_host else _PACK[form](value)
        except ValueRefused:  # a ValueError too, but it says what to do, and shows no value
            raise
        except (OverflowError, TypeError, ValueError):
            # The values themselves are the user's: a Wi-Fi key may be among them.
            shown = f"{name}={value!r}" if form in _SIZES else f"a part of {name}"
            raise LocalProtocolError(f"{entry.name}: {shown} does not fit the wire") from None
        if form in _SIZES and len(piece) != _SIZES[form]:
            raise LocalProtocolError(f"{entry.name}: {name} must be {_SIZES[form]} bytes long")
        out += piece
    if len(out) > (MAX_MESSAGE if entry.direction is Direction.TO_BOARD else MAX_MESSAGE_TO_HOST):
        raise ValueRefused(
            f"A message of {len(out)} bytes is too long for the link ({MAX_MESSAGE} at most)",
            remedy=f"Send at most {MAX_CHUNK} bytes of data in one call.",
        )
    return bytes(out)


def decode(data: bytes, direction: Direction) -> Message:
    """The message in some bytes.

    Raises:
        RemoteProtocolError: the opcode is unknown or a field is cut short.
    """
    opcode = data[0] if data else None
    if direction is Direction.TO_BOARD and opcode is not None and opcode <= ONCE:
        opcode = OPCODES[_kind_of(opcode)][0]
    entry = None if opcode is None else MESSAGES.get((direction, opcode))
    if entry is None:
        raise RemoteProtocolError(f"A message starts with the unknown opcode {data[:1].hex() or 'nothing'}")
    position = 0 if entry.kind in (Call, DirectCall) else 1
    fields: dict[str, Value] = {}
    for name, form in entry.fields:
        size = _SIZES.get(form, len(data) - position)
        piece = data[position : position + size]
        if len(piece) < size:
            raise RemoteProtocolError(f"{entry.name} ends inside its field {name}")
        fields[name] = _UNPACK[form](piece)
        position += size
    if position != len(data):
        raise RemoteProtocolError(f"{entry.name} is followed by {len(data) - position} bytes that mean nothing")
    return entry.kind(**fields)


def _kind_of(shape: int) -> type[Message]:
    return DirectCall if 0 < shape < FIRST_SHAPE else Call


#: A key for Wi-Fi, MQTT and the like with its value, in Lua source or in a table as Python writes it.
_SECRET = re.compile(
    r"""((?:pwd|passw(?:or)?d|psk|secret)\\?['"]?\s*\]?\s*[=:]\s*b?)"""
    r"""(?:\\?(?P<quote>['"])(?:\\.|(?!(?P=quote)).)*(?:(?P=quote)|$)|\[\[.*?(?:\]\]|$))""",
    re.IGNORECASE | re.DOTALL,
)


def describe(message: Message, width: int = 60) -> str:
    """A message as one short piece of text for logs.

    Long values are elided to `width` characters each, and what stands behind a name such as `pwd` is left out.
    """
    parts = [OPCODES[type(message)][1].name]
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        if isinstance(value, bytes):
            text = repr(_SECRET.sub(r"\1...", value.decode("latin-1")).encode("latin-1"))
        elif isinstance(value, tuple):
            text = _SECRET.sub(r"\1…", " ".join(repr(v) for v in value))
        else:
            text = repr(value)
        parts.append(text if len(text) <= width else f"{text[: width - 1]}…")
    return " ".join(part for part in parts if part)
