"""A serial device of this computer, as pyserial opens it; shared by the port on it and by what serves it to others."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import serial

if sys.platform != "win32":
    import termios


class SerialDevice(serial.Serial):
    """pyserial's port, which puts the terminal settings back as it found them."""

    _found: list[Any] | None = None

    def _reconfigure_port(self, force_update: bool = False) -> None:
        if sys.platform != "win32" and self._found is None and self.fd is not None:
            with contextlib.suppress(termios.error):
                self._found = termios.tcgetattr(self.fd)
        super()._reconfigure_port(force_update=force_update)  # type: ignore[misc]

    def close(self) -> None:
        if sys.platform != "win32" and self.fd is not None and self._found is not None:
            # A port that was unplugged has no settings any more.
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fd, termios.TCSANOW, self._found)
        super().close()
