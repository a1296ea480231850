"""Telnet as RFC 2217 uses it: what is data, what is a command, and the escaping between them. Pure bytes."""

from __future__ import annotations

from dataclasses import dataclass

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44
#: A subnegotiation that is longer is cut: nothing of RFC 2217 comes near it.
_LONGEST = 512


@dataclass(frozen=True)
class Data:
    """Bytes of the port."""

    data: bytes


@dataclass(frozen=True)
class Negotiation:
    """WILL, WONT, DO or DONT of an option."""

    verb: int
    option: int


@dataclass(frozen=True)
class Subnegotiation:
    """What stood between SB and SE, unescaped; the first byte is the option."""

    data: bytes


Event = Data | Negotiation | Subnegotiation


def escape(data: bytes) -> bytes:
    """Data as it goes over the connection."""
    return data.replace(b"\xff", b"\xff\xff")


def negotiate(verb: int, option: int) -> bytes:
    """A negotiation as it goes over the connection."""
    return bytes([IAC, verb, option])


def subnegotiate(data: bytes) -> bytes:
    """A subnegotiation as it goes over the connection."""
    return bytes([IAC, SB]) + escape(data) + bytes([IAC, SE])


class Decoder:
    """Takes what a peer sends in any pieces, gives events in order."""

    def __init__(self) -> None:
        self._verb: int | None = None
        self._after_iac = False
        self._sub: bytearray | None = None

    def feed(self, data: bytes) -> list[Event]:
        """The events that end in `data`."""
        events: list[Event] = []
        plain = bytearray()

        def flush() -> None:
            if plain:
                events.append(Data(bytes(plain)))
                plain.clear()

        for byte in data:
            if self._verb is not None:
                flush()
                events.append(Negotiation(self._verb, byte))
                self._verb = None
            elif not self._after_iac:
                if byte == IAC:
                    self._after_iac = True
                elif self._sub is None:
                    plain.append(byte)
                elif len(self._sub) < _LONGEST:
                    self._sub.append(byte)
            else:
                self._after_iac = False
                if byte == IAC:
                    (plain if self._sub is None else self._sub).append(IAC)
                elif byte in (DO, DONT, WILL, WONT):
                    self._verb = byte
                elif byte == SB:
                    self._sub = bytearray()
                elif byte == SE and self._sub is not None:
                    flush()
                    events.append(Subnegotiation(bytes(self._sub)))
                    self._sub = None
                # Other commands (NOP, AYT, …) have no meaning for a port.
        flush()
        return events
