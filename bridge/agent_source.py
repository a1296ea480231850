"""Renders the agent: firmware/agent/*.lua with the constants of this epoch, small, and in pieces that a board compiles.

The order of `CORE` is the order of loading: each file gets the agent's table as `...` and adds to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from bridge.errors import LocalProtocolError
from bridge.minify import field_numbers, minify
from bridge.resources import resource
from bridge.wire.check import DIRECTION_MASK, CheckKind
from bridge.wire.frame import RESCUE_SEED, WINDOW, Codec, rescue_frame
from bridge.wire.messages import CREDIT, EVENT_COST, MESSAGES, EventCode
from bridge.wire.values import MAX_DEPTH, Tag

#: Name of the agent's table in the sources.
TABLE = "agent"
#: Fields that have the same number in each version: what makes an agent of any version give the prompt back uses them.
_FIXED = ("timer", "objects", "ended", "pause", "mhz", "baud", "stepmul")
#: The other fields that are always there: 32 in all fit the array part of a table before it grows.
_RESIDENT = (
    *("two", "check", "send", "put", "main", "write", "receive", "answer", "call", "take", "fragment"),
    *("out", "again", "base", "unsent", "top", "seen", "early", "message", "expected", "held"),
    *("key", "owed", "rest", "posted"),
)

#: Files of the resident part, in the order of loading; `check` stands for one of the two checks. They are as small as
#: they are because compiling one takes up to eight times its size.
CORE = ("check", "send", "write", "receive", "calls", "start")

#: With so many fragments under way to the host events of sockets wait: fragments take a third more heap than events,
#: and with fewer the line would fall idle between two windows of a socket.
UNDER_WAY = 4
#: With more than so many under way no socket is let go on: with each of them a window finds 270 bytes of heap less.
TO_OPEN = 2

#: Until the host tunes it: payload of one frame to the host in bytes.
FIRST_FRAGMENT = 100


@dataclass(frozen=True)
class Piece:
    """One file of the agent, ready to be compiled on the board."""

    name: str
    text: bytes


@cache
def _files() -> Mapping[str, str]:
    folder = resource("firmware/agent")
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.lua"))}


@cache
def _fields() -> Mapping[str, int]:
    return field_numbers((source for _, source in sorted(_files().items())), TABLE, _FIXED + _RESIDENT)


@cache
def digest() -> str:
    """Eight characters that name the version of the agent: its sources and the table of messages."""
    whole = hashlib.sha256(repr(sorted(MESSAGES.items(), key=str)).encode())
    for name, text in _files().items():
        whole.update(f"\0{name}\0{text}".encode())
    return whole.hexdigest()[:8]


#: Rooms that can be loaded on demand, and those that must be there before: `net` is firmware/agent/room_net.lua.
ROOMS: dict[str, tuple[str, ...]] = {
    "objects": (),
    "numbers": (),
    "values": ("objects", "numbers"),
    "flow": ("objects",),
    "net": ("objects", "flow"),
    "net_make": ("objects", "flow", "net"),
    "net_send": ("objects", "flow", "net"),
    "server": ("objects", "flow", "net", "net_make"),
    "udp": ("objects", "flow", "net"),
    "tls": ("objects", "flow"),
    "tls_make": ("objects", "flow", "tls"),
    "tls_room": ("objects", "flow", "tls"),
    "tls_send": ("objects", "flow", "tls"),
    "store": (),
    "wait": ("objects", "numbers", "values"),
}


@cache
def _homes() -> Mapping[str, str]:
    """Member of the agent's table that a room adds → the room."""
    homes = {}
    for name in ROOMS:
        for member in re.findall(
            rf"(?m)^(?:function )?{TABLE}\.(\w+)(?:\(| = {TABLE}\.\w+$)", _files()[f"room_{name}"]
        ):
            homes[member] = name
    return homes


def room_of(member: str) -> tuple[str, ...]:
    """The rooms to load, in order, before a member of the agent's table can be used.

    Args:
        member: as "net.send", which is `agent.net_send` in the sources.

    Raises:
        LocalProtocolError: no room has it.
    """
    home = _homes().get(member.replace(".", "_"))
    if home is None:
        raise LocalProtocolError(f"The agent has no {member}")
    return (*ROOMS[home], home)


_PIECE = re.compile(r"(?m)^-- piece\n")


def _source(name: str) -> str:
    try:
        return _files()[name]
    except KeyError:
        raise LocalProtocolError(f"The agent has no file {name}.lua") from None


def _render(name: str, constants: Mapping[str, object]) -> bytes:
    return _rendered(_source(name), name, constants)


def _rendered(source: str, name: str, constants: Mapping[str, object]) -> bytes:
    def value(found: re.Match[str]) -> str:
        if found[1] not in constants:
            raise LocalProtocolError(f"firmware/agent/{name}.lua names the unknown constant @{found[1]}@")
        return str(constants[found[1]])

    return minify(re.sub(r"@(\w+)@", value, source), table=TABLE, fields=_fields()).encode()


def _words() -> dict[str, object]:
    constants: dict[str, object] = {entry.name: opcode for (_, opcode), entry in MESSAGES.items()}
    constants |= {f"EVENT_{code.name}": code.value for code in EventCode}
    constants |= {tag.name: tag.value for tag in Tag}
    constants |= {"CREDIT": CREDIT, "EVENT_COST": EVENT_COST, "UNDER_WAY": UNDER_WAY, "TO_OPEN": TO_OPEN}
    # What sockets call their events, in the order of the codes.
    constants["SOCKET_EVENTS"] = " ".join(code.name.lower() for code in EventCode if code <= EventCode.DNS)
    return constants | {"MAX_DEPTH": MAX_DEPTH, "WINDOW": WINDOW}


def core(codec: Codec, fragment: int = FIRST_FRAGMENT, *, low_input: bool = False) -> tuple[Piece, ...]:
    """The resident part for one epoch, in the order of loading.

    Args:
        codec: check and epoch.
        fragment: payload of one frame to the host, in bytes, until the host tunes it.
        low_input: the firmware reads the UART in LOW tasks, as 2.x does. Then frames must leave by LOW tasks too: one
            MEDIUM task after the other would let the ring overflow before it is looked at.
    """
    constants = _words() | {
        "SEED_IN": codec.epoch,
        "SEED_OUT": codec.epoch ^ DIRECTION_MASK,
        "RESCUE": RESCUE_SEED,
        "FRAGMENT": fragment,
        "PRIORITY": 0 if low_input else 1,
        "DIGEST": digest(),
    }
    check = "check_crc" if codec.kind is CheckKind.CRC else "check_sum"
    return tuple(Piece(name, _render(check if name == "check" else name, constants)) for name in CORE)


def prepare(mhz: int) -> bytes:
    """What is run before the first piece: how the board is to work while the agent is loaded and runs.

    Args:
        mhz: clock of the CPU, 80 or 160; 0 leaves it as it is.
    """
    return _render("prepare", {"MHZ": mhz})


def restore() -> bytes:
    """What undoes `prepare` when the agent could not be loaded."""
    return _render("restore", {})


def room(name: str) -> tuple[bytes, ...]:
    """Sources of a room, to be called one after the other with the agent's table.

    A board compiles them apart, at "-- piece" lines, as compiling takes up to eight times the size of a source.

    Raises:
        LocalProtocolError: there is no such room.
    """
    words = _words()
    return tuple(_rendered(source, name, words) for source in _PIECE.split(_source(f"room_{name}")))


#: Rooms that only calls need, so that they may go between calls, and come again.
SPARED = ("values", "numbers", "server", "udp", "net_make", "net_send", "tls_make", "tls_room")


def spare(rooms: Iterable[str]) -> bytes:
    """Source that forgets the functions compiled for calls and some rooms, which are to be sent again when needed.

    Args:
        rooms: of `SPARED`.
    """
    members = [field for field, home in _homes().items() if home in rooms]
    forget = "".join(f"a[{_fields()[field]}]=nil " for field in sorted(members))
    return f"local a,s=... for n in pairs(s)do s[n]=nil end {forget}".encode()


def member(path: str) -> bytes:
    """Source of a chunk that returns something of the agent's table, as "net.send"."""
    return f"return(...)[{_fields()[path.replace('.', '_')]}]".encode()


def stored() -> bytes:
    """Source of the function that runs what the room `store` has compiled."""
    return _render("stored", {})


def speed_try(baud: int) -> bytes:
    """Source that makes the board try another speed of the line; see bridge/link/speed.py."""
    return _render("speed_try", {"BAUD": int(baud)})


def speed_keep() -> bytes:
    """Source that makes the board keep it."""
    return _render("speed_keep", {})


def functions() -> bytes:
    """Source that says which of the host's functions Lua still holds; see bridge/link/callbacks.py."""
    return _render("functions", {})


def leave() -> bytes:
    """Source that makes the agent give the prompt back; run with the agent's table."""
    return b" ".join(_leave_lines())


@cache
def stop_steps() -> tuple[bytes, ...]:
    """Frames that make an agent of any epoch and version give the prompt back, and its heap, whichever check it has.

    At 921 600 baud the ring has no room for the next ones while those of one step run.
    """
    return tuple(b"".join(rescue_frame(kind, line) for kind in CheckKind) for line in _leave_lines())


def stop_sequence() -> bytes:
    """The same in one, for the console's speed."""
    return b"".join(stop_steps())


def _leave_lines() -> list[bytes]:
    lines = re.split(r"(?m)^-- line:.*\n", _files()["leave"])[1:]
    return [minify(line, table=TABLE, fields=_fields()).encode() for line in lines]
