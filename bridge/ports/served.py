"""A serial device that is served by RFC 2217, as bytes: who has the client's connection feeds them through here.

pyserial's `PortManager` speaks the protocol; it takes what looks like a command byte by byte, and all else goes past
it. Nothing here waits: who serves asks again when the device can be written to, or after a moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import time
from typing import Any

from serial import rfc2217

from bridge.ports import latency
from bridge.ports.device import SerialDevice

#: Seconds between two looks at the modem lines.
_LINES_S = 1.0
_IAC = 0xFF
_PIECE = 65536


class _Device(SerialDevice):
    """A device whose lines can be looked at also where there are none, as on a pseudo-terminal: they are off."""

    @property
    def cts(self) -> bool:
        return self._line("cts")

    @property
    def dsr(self) -> bool:
        return self._line("dsr")

    @property
    def ri(self) -> bool:
        return self._line("ri")

    @property
    def cd(self) -> bool:
        return self._line("cd")

    def _line(self, name: str) -> bool:
        with contextlib.suppress(OSError):
            return bool(getattr(super(), name))
        return False


class ServedDevice:
    """An open device.

    Opening is as gentle as `bridge.ports.serial`: the lines stay as the system sets them.

    Args:
        path: of the device.
        baud: speed of the line, in baud.

    Raises:
        OSError: it cannot be opened.

    Attributes:
        is_gone: it was unplugged.
    """

    def __init__(self, path: str, baud: int) -> None:
        self._device = _Device()
        self._device.port = path
        self._device.exclusive = True
        try:
            self._device.baudrate = baud
            self._device.timeout = self._device.write_timeout = 0
            self._device.open()
        except OSError:
            raise
        except Exception as error:  # termios.error is none of pyserial's own
            raise OSError(*error.args) from error
        latency.lower(self._device)
        self._out = bytearray()
        self._answers = bytearray()
        self._manager: Any = None
        self._lines_at = 0.0
        self._in_command = False
        self.is_gone = False

    def fileno(self) -> int:
        """For a selector."""
        return int(self._device.fileno())

    def begin(self) -> None:
        """A client has come."""
        self._out.clear()
        self._answers.clear()
        self._in_command = False
        self._manager = rfc2217.PortManager(self._device, self)  # type: ignore[arg-type]
        self._lines_at = time.monotonic() + _LINES_S

    def write(self, data: bytes) -> None:
        """For pyserial's manager: something for the client."""
        self._answers += data

    def answers(self) -> bytes:
        """What the client is to get of the protocol; each once."""
        if self._manager is not None and time.monotonic() >= self._lines_at:
            self._lines_at = time.monotonic() + _LINES_S
            self._manager.check_modem_lines()
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    def receive(self) -> bytes:
        """What the device has, as the client gets it.

        Raises:
            BlockingIOError: nothing now.
            OSError: it is gone.
        """
        try:
            data = os.read(self.fileno(), _PIECE)
        except BlockingIOError:
            raise
        except OSError:
            self.is_gone = True
            raise
        if not data:
            self.is_gone = True
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return data.replace(b"\xff", b"\xff\xff")

    def send(self, data: bytearray) -> None:
        """Take from the front of a client's bytes what can be taken now; a setting waits for what came before it.

        Raises:
            OSError: the device is gone.
        """
        while True:
            self._flush()
            if not data or len(self._out) >= _PIECE:
                return
            if self._in_command or data[0] == _IAC:
                if not self._command(data):
                    return
                continue
            end = data.find(_IAC)
            end = len(data) if end < 0 else end
            self._out += data[:end]
            del data[:end]

    @property
    def waits(self) -> bool:
        """True while the device has not taken all that was sent."""
        return bool(self._out) or self._unsent() > 0

    def throw_away(self) -> None:
        """Nothing of what was sent and has not left leaves any more."""
        self._out.clear()
        with contextlib.suppress(Exception):
            self._device.reset_output_buffer()

    def close(self) -> None:
        """Give it back."""
        with contextlib.suppress(OSError):
            self._device.close()

    def _flush(self) -> None:
        if self._out:
            with contextlib.suppress(BlockingIOError):
                del self._out[: os.write(self.fileno(), self._out)]

    def _unsent(self) -> int:
        with contextlib.suppress(OSError):
            return int(self._device.out_waiting)
        return 0

    def _command(self, data: bytearray) -> bool:
        """Give the manager a command, or a byte of data that is written as one; False if it has to wait."""
        if not self._in_command:
            if len(data) < 2:
                return False
            if data[1] == _IAC:
                self._out.append(_IAC)
                del data[:2]
                return True
            if self.waits:
                return False
        assert self._manager is not None
        for number, byte in enumerate(data, 1):
            manager = self._manager
            try:
                for plain in manager.filter(bytes([byte])):
                    self._out += plain
            except (OSError, ValueError, KeyError, TypeError, struct.error):
                # What is refused is not acknowledged; the protocol knows no other word for it.
                manager.mode, manager.suboption = rfc2217.M_NORMAL, None
            self._in_command = manager.mode != rfc2217.M_NORMAL or manager.suboption is not None
            if not self._in_command:
                del data[:number]
                return True
        data.clear()
        return False
