"""What is forwarded where, and how it is written: as `ssh` writes it, with `udp:` in front for datagrams."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from bridge.errors import UsageError

#: The address that stands for all of a computer's, and that of this computer alone.
EVERYWHERE, LOOPBACK = "0.0.0.0", "127.0.0.1"


class Side(Enum):
    """Who listens."""

    HERE = "here"
    """This computer; connections leave from the board. `-L` of ssh."""
    BOARD = "board"
    """The board; connections leave from this computer. `-R` of ssh."""


@dataclass(frozen=True)
class Forward:
    """One forward.

    Args:
        side: who listens.
        address: where it listens: an address, or on this computer also a name; "0.0.0.0" is everywhere.
        port: 0 to 65535; 0 lets the system, or the board, choose.
        host: where connections go: a name or an address, which the other side resolves and reaches.
        host_port: 1 to 65535.
        udp: datagrams in place of connections.
    """

    side: Side
    address: str
    port: int
    host: str
    host_port: int
    udp: bool = False

    def __str__(self) -> str:
        """As `local` or `remote` reads it."""
        kind = "udp:" if self.udp else ""
        return f"{kind}{place(self.address, self.port)}:{place(self.host, self.host_port)}"


def place(host: str, port: int) -> str:
    """Host and port as people write them: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def local(text: str) -> Forward:
    """Read `[udp:][address:]port:host:port`: this computer listens, by default on 127.0.0.1, the board connects.

    Args:
        text: an address of `*`, or an empty one, is all addresses; IPv6 addresses stand in brackets.

    Raises:
        UsageError: one sentence that says what is wrong.
    """
    forward = _read(text, "-L", Side.HERE, LOOPBACK)
    if _version(forward.host) == 6:
        raise UsageError(
            f"-L {text}: {forward.host} is an IPv6 address, and the board's stack speaks IPv4",
            remedy="Give a name or an IPv4 address.",
        )
    return forward


def remote(text: str) -> Forward:
    """Read `[udp:][address:]port:host:port`: the board listens, by default on all addresses, this computer connects.

    Args:
        text: the first address is one of the board's, IPv4.

    Raises:
        UsageError: one sentence that says what is wrong.
    """
    forward = _read(text, "-R", Side.BOARD, EVERYWHERE)
    if _version(forward.address) != 4:
        raise UsageError(
            f"-R {text}: {forward.address} is no IPv4 address, and the board can listen on nothing else",
            remedy="Leave it out for all addresses of the board.",
        )
    return forward


def listening(text: str, flag: str) -> tuple[str, int]:
    """Read `[address:]port`, a place of this computer to listen on.

    Args:
        text: see `local`.
        flag: the option that it was given with, for messages.

    Raises:
        UsageError: one sentence that says what is wrong.
    """
    words = _words(text, flag, f"{flag} [address:]port")
    if len(words) not in (1, 2):
        raise _wrong(text, flag, f"{flag} [address:]port")
    return _address(words[0], text, flag) if len(words) == 2 else LOOPBACK, _port(words[-1], text, flag, least=0)


def _read(text: str, flag: str, side: Side, address: str) -> Forward:
    form = f"{flag} [udp:][address:]port:host:port"
    rest = text.removeprefix("udp:")
    words = _words(rest, flag, form)
    if len(words) == 4:
        address = _address(words.pop(0), text, flag)
    if len(words) != 3:
        raise _wrong(text, flag, form)
    port, host, host_port = words
    return Forward(
        side, address, _port(port, text, flag, least=0), _host(host, text, flag), _port(host_port, text, flag, least=1),
        rest != text,
    )  # fmt: skip


#: Something in brackets, which may hold colons, or something without them.
_WORD = re.compile(r"\[([^][]*)\]|([^][:]*)")


def _words(text: str, flag: str, form: str) -> list[str]:
    words, at = [], 0
    while True:
        found = _WORD.match(text, at)
        assert found is not None  # an empty word always fits
        bracketed, plain = found.groups()
        if bracketed is not None and _version(bracketed) != 6:
            raise UsageError(f"{flag} {text}: [{bracketed}] is no IPv6 address", remedy=f"Write {form}.")
        words.append(plain if bracketed is None else bracketed)
        at = found.end()
        if at == len(text):
            return words
        if text[at] != ":":
            raise _wrong(text, flag, form)
        at += 1


def _wrong(text: str, flag: str, form: str) -> UsageError:
    return UsageError(
        f"{flag} {text} is no forward",
        remedy=f"Write {form}; an IPv6 address stands in brackets.",
    )


def _address(word: str, text: str, flag: str) -> str:
    return EVERYWHERE if word in ("", "*") else _host(word, text, flag)


def _host(word: str, text: str, flag: str) -> str:
    if (
        not word
        or len(word) > 253
        or not word.isprintable()
        or any(letter.isspace() or letter in "/@*" for letter in word)
    ):
        raise UsageError(f"{flag} {text}: {word!r} is no host", remedy="Give a name or an address.")
    return word


def _port(word: str, text: str, flag: str, *, least: int) -> int:
    if word.isascii() and word.isdigit() and len(word) < 10 and least <= int(word) <= 65_535:
        return int(word)
    raise UsageError(f"{flag} {text}: {word!r} is no port", remedy=f"Give a number from {least} to 65535.")


def _version(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None
