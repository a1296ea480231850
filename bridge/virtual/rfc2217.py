"""A serial port over the network (RFC 2217): serves a virtual board to esptool, pyserial and our own client.

A reset sequence is recognised and finished by the server (`reset_sequence`). Opening a connection does not reset the
board.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import struct
import weakref
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from bridge.errors import PortBusy, PortError
from bridge.virtual import telnet
from bridge.virtual.reset_sequence import Lines

#: Bytes of the host that may wait for the line before the server stops reading; keeps purges and bauds prompt.
_HIGH_WATER = 2048
#: Bytes that may wait for a client which does not read; then newer ones are lost, as on an adapter.
_CLIENT_BUFFER = 1 << 20
#: How long the end of the server waits for a client that does not read, in seconds.
_PARTING_S = 0.5
_SIGNATURE = b"nodemcu-bridge virtual board"


class ServedBoard(Protocol):
    """What the server needs of a board (`bridge.virtual.board.VirtualBoard`)."""

    on_unplug: list[Callable[[], None]]
    host_baud: int

    @property
    def plugged(self) -> bool: ...

    @property
    def queued(self) -> int: ...

    def set_host_receiver(self, receiver: Callable[[bytes], None] | None, *, end: str = ...) -> None: ...

    def host_write(self, data: bytes) -> None: ...

    def host_purge(self) -> None: ...

    def set_host_baud(self, baud: int) -> None: ...

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None: ...

    async def drain(self) -> None: ...


class Command(IntEnum):
    """COM-PORT-OPTION commands of a client; the answer has 100 added."""

    SIGNATURE = 0
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
    """Values of SET_CONTROL."""

    REQUEST_FLOW = 0
    NO_FLOW = 1
    REQUEST_BREAK = 4
    BREAK_OFF = 6
    REQUEST_DTR = 7
    DTR_ON = 8
    DTR_OFF = 9
    REQUEST_RTS = 10
    RTS_ON = 11
    RTS_OFF = 12
    REQUEST_FLOW_IN = 13
    NO_FLOW_IN = 14


_ANSWER = 100
_REQUESTS = {
    Control.REQUEST_FLOW: Control.NO_FLOW,
    Control.REQUEST_BREAK: Control.BREAK_OFF,
    Control.REQUEST_FLOW_IN: Control.NO_FLOW_IN,
}


class _Client:
    """One connection: telnet options, port settings, and bytes both ways."""

    #: Options we take part in, and those we let the client take part in.
    _OURS = frozenset({telnet.BINARY, telnet.SUPPRESS_GO_AHEAD, telnet.COM_PORT, telnet.ECHO})
    _THEIRS = frozenset({telnet.BINARY, telnet.SUPPRESS_GO_AHEAD, telnet.COM_PORT})

    def __init__(self, board: ServedBoard, writer: asyncio.StreamWriter) -> None:
        self._board = board
        self._writer = writer
        self._decoder = telnet.Decoder()
        self._lines = Lines(board.set_lines)
        self._enabled: set[tuple[int, int]] = set()
        self._settings = {Command.SET_DATASIZE: 8, Command.SET_PARITY: 1, Command.SET_STOPSIZE: 1}
        self._suspended = False
        self._notified = False
        self._held = bytearray()

    def begin(self) -> None:
        """Offer what a port server does, and take the board's bytes."""
        for option in (telnet.SUPPRESS_GO_AHEAD, telnet.BINARY, telnet.COM_PORT):
            self._enable(telnet.WILL, option)
        for option in (telnet.BINARY, telnet.COM_PORT):
            self._enable(telnet.DO, option)
        self._board.set_host_receiver(self._deliver, end="rfc2217")

    def end(self) -> None:
        """Let go of the board."""
        self._board.set_host_receiver(None, end="rfc2217")
        self._lines.release()

    async def receive(self, data: bytes) -> None:
        """Bytes of the connection; returns when the board's line has room for more."""
        for event in self._decoder.feed(data):
            match event:
                case telnet.Data(payload):
                    self._board.host_write(payload)
                case telnet.Negotiation(verb, option):
                    self._negotiate(verb, option)
                case telnet.Subnegotiation(sub) if len(sub) >= 2 and sub[0] == telnet.COM_PORT:
                    await self._command(sub[1], sub[2:])
        if self._board.queued > _HIGH_WATER:
            await self._board.drain()

    def _deliver(self, data: bytes) -> None:
        if self._writer.is_closing():
            return  # its client has gone, and what it sent before is not read to the end yet
        if self._suspended:
            self._held += data[: _CLIENT_BUFFER - len(self._held)]
        elif self._writer.transport.get_write_buffer_size() < _CLIENT_BUFFER:
            self._writer.write(telnet.escape(data))

    def _enable(self, verb: int, option: int) -> None:
        """Say WILL or DO once."""
        if (verb, option) not in self._enabled:
            self._enabled.add((verb, option))
            self._writer.write(telnet.negotiate(verb, option))

    def _negotiate(self, verb: int, option: int) -> None:
        if option == telnet.COM_PORT and verb in (telnet.DO, telnet.WILL) and not self._notified:
            # pyserial knows no modem lines until it has been told once. Nothing is wired to them.
            self._notified = True
            self._answer(Command.NOTIFY_MODEMSTATE, b"\0")
        # What we have said already is not said again: that is how telnet's loops are avoided.
        match verb:
            case telnet.DO if option in self._OURS:
                self._enable(telnet.WILL, option)
            case telnet.DO:
                self._writer.write(telnet.negotiate(telnet.WONT, option))
            case telnet.WILL if option in self._THEIRS:
                self._enable(telnet.DO, option)
            case telnet.WILL:
                self._writer.write(telnet.negotiate(telnet.DONT, option))
            case telnet.DONT if (telnet.WILL, option) in self._enabled:
                self._enabled.discard((telnet.WILL, option))
                self._writer.write(telnet.negotiate(telnet.WONT, option))
            case telnet.WONT if (telnet.DO, option) in self._enabled:
                self._enabled.discard((telnet.DO, option))
                self._writer.write(telnet.negotiate(telnet.DONT, option))

    def _answer(self, command: int, value: bytes) -> None:
        self._writer.write(telnet.subnegotiate(bytes([telnet.COM_PORT, command + _ANSWER]) + value))

    async def _command(self, command: int, value: bytes) -> None:
        match command:
            case Command.SIGNATURE:
                if not value:
                    self._answer(command, _SIGNATURE)
            case Command.SET_BAUDRATE:
                baud = struct.unpack(">I", value[:4].rjust(4, b"\0"))[0]
                if baud:
                    # What was written before leaves at the speed it was written for.
                    await self._board.drain()
                    self._board.set_host_baud(baud)
                self._answer(command, struct.pack(">I", self._board.host_baud))
            case Command.SET_DATASIZE | Command.SET_PARITY | Command.SET_STOPSIZE:
                # Remembered for the client; the line always carries 8N1, as every tool for this chip uses.
                setting = Command(command)
                if value[:1] not in (b"", b"\0"):
                    self._settings[setting] = value[0]
                self._answer(command, bytes([self._settings[setting]]))
            case Command.SET_CONTROL:
                self._control(value[0] if value else 0)
            case Command.NOTIFY_LINESTATE | Command.NOTIFY_MODEMSTATE:
                self._answer(command, b"\0")
            case Command.FLOWCONTROL_SUSPEND:
                self._suspended = True
            case Command.FLOWCONTROL_RESUME:
                self._suspended = False
                held, self._held = bytes(self._held), bytearray()
                self._deliver(held)
            case Command.SET_LINESTATE_MASK | Command.SET_MODEMSTATE_MASK:
                self._answer(command, value[:1])
            case Command.PURGE_DATA:
                if value[:1] in (b"\1", b"\3"):
                    self._held.clear()
                if value[:1] in (b"\2", b"\3"):
                    self._board.host_purge()
                self._answer(command, value[:1])

    def _control(self, value: int) -> None:
        match value:
            case Control.DTR_ON | Control.DTR_OFF:
                self._lines.set(dtr=value == Control.DTR_ON)
            case Control.RTS_ON | Control.RTS_OFF:
                self._lines.set(rts=value == Control.RTS_ON)
            case Control.REQUEST_DTR:
                value = Control.DTR_ON if self._lines.dtr else Control.DTR_OFF
            case Control.REQUEST_RTS:
                value = Control.RTS_ON if self._lines.rts else Control.RTS_OFF
            case _:
                value = _REQUESTS.get(value, value)  # type: ignore[call-overload]
        self._answer(Command.SET_CONTROL, bytes([value]))


class Rfc2217Server:
    """A running server; made by `serve_rfc2217`. One client at a time; another is told so and closed."""

    def __init__(self, board: ServedBoard, server: asyncio.Server) -> None:
        self._board = board
        self._server = server
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()
        host, port = server.sockets[0].getsockname()[:2]
        self.host: str = host
        self.port: int = port
        board.on_unplug.append(self._unplugged)

    @property
    def url(self) -> str:
        """What a client opens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rfc2217://{host}:{self.port}"

    async def close(self) -> None:
        """Close the client's connection and stop listening. Calling it again does nothing."""
        if self._unplugged in self._board.on_unplug:
            self._board.on_unplug.remove(self._unplugged)
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*map(_part, tuple(self._writers)))
        await self._server.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        client: _Client | None = None
        try:
            if self._writer is not None or not self._board.plugged:
                reason = "in use by another client" if self._writer is not None else "unplugged"
                writer.write(f"nodemcu-bridge: this board is {reason}\r\n".encode())
                await writer.drain()
                return
            self._writer = writer
            client = _Client(self._board, writer)
            client.begin()
            while data := await reader.read(_HIGH_WATER):
                await client.receive(data)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the server closes: either way this connection is over
        finally:
            self._tasks.discard(task)
            if client is not None:
                client.end()
                self._writer = None
            writer.close()

    def _unplugged(self) -> None:
        if self._writer is not None:
            self._writer.close()


async def _part(writer: asyncio.StreamWriter) -> None:
    """End a connection that has been closed: what its client does not take within a moment is dropped."""
    closed = asyncio.ensure_future(writer.wait_closed())
    await asyncio.wait([closed], timeout=_PARTING_S)
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await closed


async def serve_rfc2217(board: ServedBoard, host: str = "127.0.0.1", port: int = 0) -> Rfc2217Server:
    """Serve a started board.

    Args:
        board: the board; stays the caller's to close, after the server.
        host: address to listen on.
        port: TCP port, 0 for a free one.

    Raises:
        PortBusy: something else listens there.
        PortError: the address cannot be listened on.
    """
    served: Rfc2217Server | None = None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert served is not None
        await served.serve(reader, writer)

    try:
        server = await asyncio.start_server(connected, host, port, start_serving=False)
    except OSError as error:
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(f"{where} is in use", remedy="Choose another port, or 0 for a free one.") from error
        raise PortError(f"{where} cannot be listened on: {error.strerror or error}") from error
    served = Rfc2217Server(board, server)
    await server.start_serving()
    return served
