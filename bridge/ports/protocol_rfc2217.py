"""A blocking RFC 2217 port for pyserial's URL lookup, so that esptool need not use pyserial's own.

pyserial's client renegotiates the whole port at every change of `timeout`, and sleeps 50 ms in every change of a
modem line. esptool changes `timeout` several times per packet, and its reset sequence needs edges closer together
than that. Here a timeout is local, a setting waits for its acknowledgement only, and opening drives no line.

pyserial finds the module by its name: `serial.protocol_handler_packages` lists packages in which it looks for
`protocol_<scheme>` (see `esptool_handler.py`).
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

from serial import serialutil

from bridge.errors import UsageError
from bridge.ports.socket import CONNECT_TIMEOUT, split_url
from bridge.ports.telnet import Command, Control, Telnet, escape

#: Seconds for the server to acknowledge a setting.
ANSWER_TIMEOUT = 5.0


class Serial(serialutil.SerialBase):
    """pyserial's interface over one telnet connection. Timeouts in seconds, as in pyserial."""

    BAUDRATES = (300, 9600, 57600, 74880, 115200, 230400, 460800, 921600)

    def __init__(self, *args: object, **kwargs: object) -> None:
        self._socket: socket.socket | None = None
        self._telnet = Telnet()
        self._received = bytearray()
        self._server_baud = 0
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        # Unknown before the first change; esptool repeats DTR after each RTS and must not assert it by that.
        self._dtr_state = self._rts_state = False

    def open(self) -> None:
        """Connect and agree on RFC 2217; raises `SerialException`."""
        try:
            host, tcp_port, query = split_url(str(self.portstr))
            self._acknowledged_lines = "ign_set_control" not in query
            self._socket = socket.create_connection((host, tcp_port), CONNECT_TIMEOUT)
        except (OSError, UsageError) as error:
            raise serialutil.SerialException(f"could not open port {self.portstr}: {error}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_open = True
        try:
            self._telnet.start()
            self._transmit()
            self._until(lambda: self._telnet.accepted or self._telnet.refused)
            if self._telnet.refused:
                raise serialutil.SerialException(f"{self.portstr} does not speak RFC 2217")
            for command, value in ((Command.SET_DATASIZE, 8), (Command.SET_PARITY, 1), (Command.SET_STOPSIZE, 1)):
                self._telnet.command(command, bytes([value]))
            self._reconfigure_port()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def from_url(self, url: str) -> str:
        """Part of pyserial's interface for URL handlers; the URL is kept whole."""
        return url

    def _reconfigure_port(self, force_update: bool = False) -> None:
        # Called at every change of any setting; only the speed concerns the server.
        baud = self._baudrate  # type: ignore[attr-defined]
        if self.is_open and baud != self._server_baud:
            self._telnet.answers.clear()
            self._telnet.baud(baud)
            self._transmit()
            self._until(lambda: any(a.command is Command.SET_BAUDRATE for a in self._telnet.answers))
            self._server_baud = baud

    @property
    def in_waiting(self) -> int:
        """Bytes that have arrived and were not read."""
        self._receive(0)
        return len(self._received)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer when `timeout` seconds pass."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout  # type: ignore[attr-defined]
        self._receive(0)
        while len(self._received) < size:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                break
            self._receive(left)
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def write(self, b: Any, /) -> int:
        """Send bytes; blocks while the connection's buffers are full."""
        self._send(escape(bytes(b)))
        return len(b)

    def flush(self) -> None:
        """Nothing is held back here."""

    def reset_input_buffer(self) -> None:
        """Drop what has arrived."""
        self._receive(0)
        self._received.clear()

    def reset_output_buffer(self) -> None:
        """Nothing is held back here."""

    def _update_dtr_state(self) -> None:
        self._control(Control.DTR_ON if self._dtr_state else Control.DTR_OFF)

    def _update_rts_state(self) -> None:
        self._control(Control.RTS_ON if self._rts_state else Control.RTS_OFF)

    def _update_break_state(self) -> None:
        self._control(Control.BREAK_ON if self._break_state else Control.BREAK_OFF)  # type: ignore[attr-defined]

    def _control(self, value: Control) -> None:
        self._telnet.answers.clear()
        self._telnet.command(Command.SET_CONTROL, bytes([value]))
        self._transmit()
        if self._acknowledged_lines:
            self._until(
                lambda: any(a.command is Command.SET_CONTROL and a.number == value for a in self._telnet.answers)
            )

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise serialutil.SerialException(f"{self.portstr} does not answer as an RFC 2217 server does")
            self._receive(left)

    def _receive(self, timeout: float | None) -> None:
        connection = self._connection()
        if not select.select([connection], [], [], timeout)[0]:
            return
        try:
            data = connection.recv(65536)
        except OSError as error:
            raise serialutil.SerialException(f"{self.portstr} was lost: {error}") from error
        if not data:
            raise serialutil.SerialException(f"{self.portstr} closed the connection")
        self._received += self._telnet.feed(data)
        self._transmit()

    def _transmit(self) -> None:
        if self._telnet.output:
            output = bytes(self._telnet.output)
            self._telnet.output.clear()
            self._send(output)

    def _send(self, data: bytes) -> None:
        try:
            self._connection().sendall(data)
        except OSError as error:
            raise serialutil.SerialException(f"{self.portstr} was lost: {error}") from error

    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise serialutil.PortNotOpenError()
        return self._socket
