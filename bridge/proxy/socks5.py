"""The server's side of SOCKS5: bytes of a client in, its request and bytes for it out. No input, no output, no time.

RFC 1928 (SOCKS5), RFC 1929 (user and password). docs/decisions/socks.md says why this is ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from bridge.errors import LocalProtocolError

#: The first byte that a client sends.
VERSION = 5
_NO_LOGIN, _USER_AND_PASSWORD, _NO_METHOD = 0, 2, 0xFF
_LOGIN_VERSION = 1
_IPV4, _DOMAIN, _IPV6 = 1, 3, 4
#: What a client of SOCKS4 understands: "request rejected or failed".
_REFUSED_4 = bytes((0, 91, 0, 0, 0, 0, 0, 0))
#: What names of hosts may hold. A space or a control character would only make messages lie.
_NAME = re.compile(rb"[!-~]{1,255}")


class Command(IntEnum):
    """What a client wants."""

    CONNECT = 1
    BIND = 2
    UDP_ASSOCIATE = 3


class Reply(IntEnum):
    """What a client is told."""

    SUCCEEDED = 0
    FAILED = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    REFUSED = 5
    TIMED_OUT = 6
    """TTL expired, in the RFC's words."""
    NO_SUCH_COMMAND = 7
    NO_SUCH_ADDRESS_TYPE = 8


@dataclass(frozen=True)
class Request:
    """A client asks for something; it waits for `Socks5.reply`."""

    command: Command
    host: str
    """Address or name."""
    tcp_port: int
    """0 to 65535; of UDP for `UDP_ASSOCIATE`."""


@dataclass(frozen=True)
class Rejected:
    """A client broke the rules, or has not the right password. `data_to_send` has what it is told; then it is over."""

    why: str
    """A clause, without anything that the client called its password."""


class _State(Enum):
    METHODS = auto()
    LOGIN = auto()
    REQUEST = auto()
    ASKED = auto()
    """A request waits for its reply."""
    BOUND = auto()
    """The first reply to BIND is out, the second is not."""
    DONE = auto()
    REJECTED = auto()


class Socks5:
    """One client's handshake.

    Args:
        admits: tells whether user and password are right; None asks for none.
    """

    def __init__(self, admits: Callable[[bytes, bytes], bool] | None = None) -> None:
        self._admits = admits
        self._state = _State.METHODS
        self._buffer = bytearray()
        self._out = bytearray()
        self._request: Request | None = None

    def __repr__(self) -> str:
        return f"<Socks5 {self._state.name.lower()}>"

    @property
    def wanted(self) -> int:
        """How many bytes it can certainly take; 0 when the handshake is over. Whoever reads no more than that at once
        leaves what comes after the handshake where it is."""
        length = self._length()
        return 0 if length is None else length - len(self._buffer)

    @property
    def unread(self) -> bytes:
        """What was received and does not belong to the handshake."""
        return bytes(self._buffer) if self._length() is None else b""

    def receive(self, data: bytes) -> Request | Rejected | None:
        """Take bytes of the client.

        Args:
            data: as they came.

        Returns:
            What they have completed; None while more is needed, and when the handshake is over.
        """
        self._buffer += data
        while (length := self._length()) is not None and len(self._buffer) >= length:
            message = bytes(self._buffer[:length])
            del self._buffer[:length]
            result = _STEPS[self._state](self, message)
            if result is not None:
                return result
        return None

    def reply(self, reply: Reply, host: str = "0.0.0.0", tcp_port: int = 0) -> None:
        """Answer the request.

        Args:
            reply: BIND that succeeded gets another one when its peer comes.
            host: address for the client: of this end, of the listener, of the peer, or where its datagrams go.
            tcp_port: the port there.

        Raises:
            LocalProtocolError: nothing waits for a reply.
        """
        if self._state not in (_State.ASKED, _State.BOUND):
            raise LocalProtocolError(f"{self!r} has nothing to reply to")
        self._out += bytes((VERSION, reply, 0)) + packed(host, tcp_port)
        bound = self._state is _State.ASKED and self._request is not None and self._request.command is Command.BIND
        self._state = _State.BOUND if bound and reply is Reply.SUCCEEDED else _State.DONE

    def data_to_send(self) -> bytes:
        """Bytes for the client, once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _length(self) -> int | None:
        """How long the message is that has begun, as far as its beginning tells; None if none is expected."""
        b = self._buffer
        match self._state:
            case _State.METHODS:
                return 1 if not b or b[0] != VERSION else 2 if len(b) < 2 else 2 + b[1]
            case _State.LOGIN:
                if not b or b[0] != _LOGIN_VERSION:
                    return 1
                if len(b) < 2 or len(b) < 3 + b[1]:
                    return 2 if len(b) < 2 else 3 + b[1]
                return 3 + b[1] + b[2 + b[1]]
            case _State.REQUEST:
                if not b or b[0] != VERSION:
                    return 1
                if len(b) < 5:
                    return 4 if len(b) < 4 or b[3] not in (_IPV4, _DOMAIN, _IPV6) else 5
                return {_IPV4: 10, _IPV6: 22, _DOMAIN: 7 + b[4]}.get(b[3], 4)
            case _:
                return None

    def _methods(self, message: bytes) -> Rejected | None:
        if message[0] != VERSION:
            return self._reject(f"it speaks version {message[0]} of SOCKS", _REFUSED_4 if message[0] == 4 else b"")
        wanted = _NO_LOGIN if self._admits is None else _USER_AND_PASSWORD
        if wanted not in message[2:]:
            what = "no way in without a password" if self._admits is None else "neither user nor password"
            return self._reject(f"it offers {what}", bytes((VERSION, _NO_METHOD)))
        self._out += bytes((VERSION, wanted))
        self._state = _State.REQUEST if self._admits is None else _State.LOGIN
        return None

    def _login(self, message: bytes) -> Rejected | None:
        assert self._admits is not None
        wrong = bytes((_LOGIN_VERSION, 1))
        if message[0] != _LOGIN_VERSION:
            return self._reject(f"it speaks version {message[0]} of the login", wrong)
        user, password = message[2 : 2 + message[1]], message[3 + message[1] :]
        if not self._admits(user, password):
            return self._reject("user or password is wrong", wrong)
        self._out += bytes((_LOGIN_VERSION, 0))
        self._state = _State.REQUEST
        return None

    def _asked(self, message: bytes) -> Request | Rejected:
        if message[0] != VERSION:
            return self._refuse(Reply.FAILED, f"its request is of version {message[0]}")
        if message[3] not in (_IPV4, _DOMAIN, _IPV6):
            return self._refuse(Reply.NO_SUCH_ADDRESS_TYPE, f"its address is of type {message[3]}")
        if message[1] not in {*Command}:
            return self._refuse(Reply.NO_SUCH_COMMAND, f"it asks for command {message[1]}")
        where = unpacked(message[3:])
        if where is None:
            return self._refuse(Reply.HOST_UNREACHABLE, "the name of its host can be none")
        self._state = _State.ASKED
        self._request = Request(Command(message[1]), *where)
        return self._request

    def _refuse(self, reply: Reply, why: str) -> Rejected:
        return self._reject(why, bytes((VERSION, reply, 0)) + packed())

    def _reject(self, why: str, out: bytes) -> Rejected:
        self._out += out
        self._state = _State.REJECTED
        return Rejected(why)


_STEPS: dict[_State, Callable[[Socks5, bytes], Request | Rejected | None]] = {
    _State.METHODS: Socks5._methods,
    _State.LOGIN: Socks5._login,
    _State.REQUEST: Socks5._asked,
}


def packed(host: str = "0.0.0.0", tcp_port: int = 0) -> bytes:
    """An address and a port as messages have them: type, address, port.

    Args:
        host: an IPv4 or IPv6 address.
        tcp_port: 0 to 65535.
    """
    address = ipaddress.ip_address(host.partition("%")[0])
    kind = _IPV4 if address.version == 4 else _IPV6
    return bytes((kind,)) + address.packed + tcp_port.to_bytes(2, "big")


def unpacked(message: bytes) -> tuple[str, int] | None:
    """The host and port that a message ends with; None if its name can be none. The opposite of `packed`.

    Args:
        message: whole, from the type of the address on.
    """
    kind, tcp_port = message[0], int.from_bytes(message[-2:], "big")
    if kind != _DOMAIN:
        return str(ipaddress.ip_address(message[1:-2])), tcp_port
    name = message[2:-2]
    return (name.decode("ascii"), tcp_port) if _NAME.fullmatch(name) else None


def address_length(message: bytes) -> int | None:
    """How many bytes address and port take at the beginning of a datagram's or message's rest.

    Args:
        message: from the type of the address on.

    Returns:
        The length; None if the type is unknown or the message is shorter.
    """
    if len(message) < 2 or message[0] not in (_IPV4, _DOMAIN, _IPV6):
        return None
    length = {_IPV4: 7, _IPV6: 19, _DOMAIN: 4 + message[1]}[message[0]]
    return length if length <= len(message) else None
