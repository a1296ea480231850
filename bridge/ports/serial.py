"""Serial ports of the operating system and pseudo-terminals, on pyserial-asyncio.

Opening is gentle. The kernel raises DTR and RTS together when a port is opened, which on a NodeMCU's two-transistor
circuit does nothing; pulling one of them later than the other would reset the board, so both stay as the kernel set
them until `set_lines` is called. On Windows, where the driver sets them one by one, both are kept low instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sys
from collections.abc import Callable

import serial_asyncio

from bridge.errors import PortBusy, PortError, PortLost, PortNotFound
from bridge.ports import latency
from bridge.ports.base import LossHandler, Receiver
from bridge.ports.device import SerialDevice
from bridge.ports.draining import drained
from bridge.ports.inbox import Inbox

if sys.platform != "win32":
    import fcntl
    import grp
    import struct
    import termios

#: Seconds that closing waits for bytes that the adapter does not take, before it drops them.
CLOSE_TIMEOUT = 2.0


class _Transport(serial_asyncio.SerialTransport):  # type: ignore[misc]
    """pyserial-asyncio's transport, which reports a lost port once and writes nothing to the log."""

    _reported = False

    def _fatal_error(self, exc: BaseException, message: str = "") -> None:
        self._abort(exc)

    def _write_ready(self) -> None:
        try:
            super()._write_ready()
        except OSError as error:
            self._abort(error)

    def _read_ready(self) -> None:
        try:
            data = self._serial.read(self._max_read_size)
        except OSError as error:
            # Not `_close`: it would go on trying to write what is still queued for a port that is gone.
            self._abort(error)
        else:
            if data:
                self._protocol.data_received(data)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        if not self._reported:
            self._reported = True
            super()._call_connection_lost(exc)


class SerialPort(asyncio.Protocol):
    """A `Port` on a serial device of this computer; made by `open_serial`."""

    def __init__(self, url: str, device: SerialDevice) -> None:
        self._url = url
        self._device = device
        self._inbox = Inbox()
        self._loop = asyncio.get_running_loop()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._closing = False
        self._transport = _Transport(self._loop, self, device)
        self._transport.set_write_buffer_limits(high=0)

    @property
    def url(self) -> str:
        return self._url

    @property
    def baud(self) -> int:
        return int(self._device.baudrate)

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        self._inbox.set_receiver(receiver, lost)

    def write(self, data: bytes) -> None:
        self._check()
        if data:
            self._transport.write(data)

    async def drain(self) -> None:
        self._check()
        await drained(self._url, lambda: self._transport.get_write_buffer_size() + self._waiting(), self._left)
        self._check()

    async def _left(self) -> None:
        if not self._writable.is_set():
            await self._writable.wait()
        else:
            await asyncio.sleep(max(self._waiting(), 1) * 10 / self.baud)
        self._check()

    async def set_baud(self, baud: int) -> None:
        await self.drain()
        before = self.baud
        try:
            if baud < 1:
                raise ValueError("0 baud would hang up")
            self._device.baudrate = baud
        except (OSError, ValueError, OverflowError) as error:
            with contextlib.suppress(OSError, ValueError):
                self._device.baudrate = before
            raise PortError(
                f"{self._url} refuses {baud} baud", port=self._url, remedy="Use a lower or a more usual speed."
            ) from error

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        self._check()
        try:
            if sys.platform != "win32" and dtr is not None and rts is not None:
                self._set_both(dtr, rts)
            else:
                if dtr is not None:
                    self._device.dtr = dtr
                if rts is not None:
                    self._device.rts = rts
        except OSError as error:
            raise PortError(
                f"{self._url} has no DTR and RTS lines",
                port=self._url,
                remedy="Reset the board by its button, or use a real adapter or an rfc2217:// port.",
            ) from error

    def _set_both(self, dtr: bool, rts: bool) -> None:
        # One call for both lines: a moment with only one asserted would reset the board.
        if sys.platform != "win32" and self._device.fd is not None:
            state = struct.unpack("I", fcntl.ioctl(self._device.fd, termios.TIOCMGET, b"\0" * 4))[0]
            for wanted, bit in ((dtr, termios.TIOCM_DTR), (rts, termios.TIOCM_RTS)):
                state = state | bit if wanted else state & ~bit
            fcntl.ioctl(self._device.fd, termios.TIOCMSET, struct.pack("I", state))

    async def close(self) -> None:
        if not self._closing:
            self._closing = True
            if self._inbox.loss is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT):
                        await self._writable.wait()
                if not self._gone.done():
                    self._transport.abort()
        # Shielded: a caller that gives up waiting does not leave the port half closed for the next one.
        await asyncio.shield(self._gone)

    def when_gone(self, told: Callable[[], None]) -> None:
        """Have somebody told when the port has been closed or lost."""
        self._gone.add_done_callback(lambda _: told())

    # Called by the transport.

    def data_received(self, data: bytes) -> None:
        self._inbox.feed(data)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing or exc is not None:
            self._inbox.lose(lost_error(self._url, exc))
        self._writable.set()
        if not self._gone.done():
            # The transport closes the device right after this call.
            self._loop.call_soon(self._finish)

    def _finish(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)

    def _check(self) -> None:
        self._inbox.check()
        if self._closing:
            raise PortLost(f"{self._url} has been closed", port=self._url)

    def _waiting(self) -> int:
        try:
            return int(self._device.out_waiting)
        except OSError:
            return 0


def lost_error(url: str, cause: BaseException | None) -> PortLost:
    """What to say of a port that went away while open."""
    error = PortLost(
        f"{url} went away while it was open",
        port=url,
        remedy="Check the cable and the board's power, plug it in again and start over.",
    )
    error.__cause__ = cause
    return error


async def open_serial(url: str, *, baud: int) -> SerialPort:
    """Open a serial device or pseudo-terminal by its path.

    Args:
        url: `/dev/ttyUSB0`, `COM5`, ….
        baud: speed of the line, in baud.

    Raises:
        PortNotFound, PortBusy, PortError: it cannot be opened; says why and what to do.
    """
    device = SerialDevice()
    device.port = url
    device.exclusive = True
    if sys.platform == "win32":
        device.dtr = device.rts = False
    try:
        device.baudrate = baud
        device.open()
    except (OSError, ValueError, OverflowError) as error:
        raise open_error(url, error) from error
    except Exception as error:
        # pyserial lets `termios.error` through, which is none of its own exceptions.
        raise open_error(url, OSError(*error.args)) from error
    latency.lower(device)
    return SerialPort(url, device)


def open_error(url: str, error: Exception) -> PortError:
    """The error of this package for one of pyserial's or the system's at opening."""
    code = error.errno if isinstance(error, OSError) else None
    text = str(error)
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return PortNotFound(
            f"There is no port {url}",
            port=url,
            remedy="Plug the board in, or see which ports there are with `nodemcu-bridge boards`.",
        )
    if code in (errno.EBUSY, errno.EAGAIN) or (sys.platform == "win32" and "PermissionError" in text):
        return PortBusy(f"Another program has {url} open", port=url, remedy="Close it and try again.")
    if code in (errno.EACCES, errno.EPERM):
        return PortError(f"This user may not open {url}", port=url, remedy=_permission_remedy(url))
    if isinstance(error, ValueError | OverflowError):
        return PortError(f"{url} cannot be set up ({text})", port=url, remedy="Check the speed.")
    return PortError(
        f"{url} is not a serial port", port=url, remedy="See which ports there are with `nodemcu-bridge boards`."
    )


def _permission_remedy(url: str) -> str:
    group = "dialout or uucp"
    if sys.platform != "win32":
        with contextlib.suppress(OSError, KeyError):
            group = grp.getgrgid(os.stat(url).st_gid).gr_name
    return f"Join the group that may ({group}): `sudo usermod -aG {group.split()[0]} $USER`, then log in again."
