"""Telnet with the COM-PORT option (RFC 854, 855, 856, 858, 2217), client side, as pure bytes.

`Telnet.feed` takes what came over TCP and gives back the data of the line; what must be sent in return collects in
`Telnet.output`. The asyncio port (`rfc2217.py`) and the blocking one for esptool (`protocol_rfc2217.py`) sit on it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

# RFC 854 commands.
SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255
# Options.
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44
_WANTED = (BINARY, SUPPRESS_GO_AHEAD, COM_PORT)

#: What a server adds to a client's command number in its answer (RFC 2217, section 3).
_SERVER = 100


class Command(IntEnum):
    """RFC 2217 commands from client to server."""

    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_LINESTATE = 6
    NOTIFY_MODEMSTATE = 7
    FLOWCONTROL_SUSPEND = 8
    FLOWCONTROL_RESUME = 9
    SET_LINESTATE_MASK = 10
    SET_MODEMSTATE_MASK = 11
    PURGE_DATA = 12


class Control(IntEnum):
    """Values of `Command.SET_CONTROL`."""

    FLOW_NONE = 1
    BREAK_ON = 5
    BREAK_OFF = 6
    DTR_ON = 8
    DTR_OFF = 9
    RTS_ON = 11
    RTS_OFF = 12


@dataclass(frozen=True)
class Answer:
    """A server's answer to a command: `value` as it came (4 bytes big-endian for the baud, else one byte)."""

    command: Command
    value: bytes

    @property
    def number(self) -> int:
        """The value as a number."""
        return int.from_bytes(self.value, "big")


@dataclass
class Telnet:
    """One telnet connection.

    Attributes:
        output: bytes to send to the server; whoever sends them empties it.
        answers: RFC 2217 answers that came and nobody has taken yet.
        accepted: the server agreed to speak RFC 2217.
        refused: the server refused to.
        suspended: the server asked this side to send no data for now.
    """

    output: bytearray = field(default_factory=bytearray)
    answers: list[Answer] = field(default_factory=list)
    accepted: bool = False
    refused: bool = False
    suspended: bool = False
    _state: str = "data"
    _verb: int = 0
    _sub: bytearray = field(default_factory=bytearray)
    _will: set[int] = field(default_factory=set)
    _do: set[int] = field(default_factory=set)

    def start(self) -> None:
        """Offer and ask for what an 8-bit clean line needs."""
        for option in _WANTED:
            self._will.add(option)
            self._send(WILL, option)
        for option in (BINARY, SUPPRESS_GO_AHEAD):
            self._do.add(option)
            self._send(DO, option)

    def command(self, command: Command, value: bytes) -> None:
        """Put an RFC 2217 command into the output."""
        self.output += bytes((IAC, SB, COM_PORT, command)) + escape(value) + bytes((IAC, SE))

    def baud(self, baud: int) -> None:
        """Put SET-BAUDRATE into the output; `baud` in bits per second."""
        self.command(Command.SET_BAUDRATE, struct.pack(">I", baud))

    def feed(self, received: bytes) -> bytes:
        """Take what came over TCP and return the data bytes of the line in it."""
        if self._state == "data" and IAC not in received:
            return received
        data = bytearray()
        for byte in received:
            match self._state:
                case "data":
                    if byte == IAC:
                        self._state = "iac"
                    else:
                        data.append(byte)
                case "iac":
                    self._state = "data"
                    if byte == IAC:
                        data.append(IAC)
                    elif byte in (WILL, WONT, DO, DONT):
                        self._verb, self._state = byte, "option"
                    elif byte == SB:
                        self._sub.clear()
                        self._state = "sub"
                case "option":
                    self._state = "data"
                    self._negotiate(self._verb, byte)
                case "sub":
                    if byte == IAC:
                        self._state = "sub-iac"
                    else:
                        self._sub.append(byte)
                case _:
                    self._state = "sub"
                    if byte == IAC:
                        self._sub.append(IAC)
                    elif byte == SE:
                        self._state = "data"
                        self._subnegotiation(bytes(self._sub))
        return bytes(data)

    def _send(self, verb: int, option: int) -> None:
        self.output += bytes((IAC, verb, option))

    def _negotiate(self, verb: int, option: int) -> None:
        # Answering only what changes a state is what keeps two sides from answering each other for ever (RFC 854).
        if verb in (DO, DONT):
            if option == COM_PORT:
                self.accepted, self.refused = verb == DO, verb == DONT
            if verb == DO and option not in self._will:
                if option in _WANTED:
                    self._will.add(option)
                    self._send(WILL, option)
                else:
                    self._send(WONT, option)
            elif verb == DONT and option in self._will:
                self._will.discard(option)
                self._send(WONT, option)
        else:
            if verb == WILL and option == COM_PORT:
                # Some servers say so of themselves and do not answer the offer.
                self.accepted = True
            if verb == WILL and option not in self._do:
                if option in (*_WANTED, ECHO):
                    self._do.add(option)
                    self._send(DO, option)
                else:
                    self._send(DONT, option)
            elif verb == WONT and option in self._do:
                self._do.discard(option)
                self._send(DONT, option)

    def _subnegotiation(self, content: bytes) -> None:
        if len(content) < 2 or content[0] != COM_PORT:
            return
        try:
            command = Command(content[1] - _SERVER)
        except ValueError:
            return
        match command:
            case Command.FLOWCONTROL_SUSPEND:
                self.suspended = True
            case Command.FLOWCONTROL_RESUME:
                self.suspended = False
            case Command.NOTIFY_LINESTATE | Command.NOTIFY_MODEMSTATE:
                pass
            case _:
                self.answers.append(Answer(command, content[2:]))


def escape(data: bytes) -> bytes:
    """Data as it travels over telnet: every 0xFF doubled."""
    return data.replace(b"\xff", b"\xff\xff")
