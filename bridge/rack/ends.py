"""The two kinds of place that a keeper serves, as one end of a pair: a TCP server, and a serial device.

Imported by the keeper: it needs little, and pyserial only for a device.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bridge.ports.served import ServedDevice

#: Bytes read at once.
PIECE = 65536
#: Seconds until it is asked again whether a device is done with what it has.
RETRY_S = 0.002
#: Bytes that the system keeps for a TCP place; the fastest line takes 0.1 s for them.
_SEND_BUFFER = 8192
#: `SO_LINGER` of 0 s: closing throws away what the system has not sent yet.
AT_ONCE = struct.pack("ii", 1, 0)
#: That the other side has ended its direction; where the system cannot tell, it is found out by reading.
_END = getattr(select, "POLLRDHUP", 0)


class End(Protocol):
    """One connection to a place. Nothing of it waits."""

    is_open: bool
    """False while it is being made."""
    trouble: str | None
    """Why it could not be made."""

    def fileno(self) -> int:
        """For a selector; writable when it has been made, or has not."""

    def settle(self) -> None:
        """It is writable for the first time: set `is_open` or `trouble`."""

    def receive(self) -> bytes | None:
        """What has come; b"" at the end, however it came; None where there is nothing yet."""

    @property
    def hung_up(self) -> bool:
        """True if the place has ended it, also where what it said before that was not received yet."""

    def send(self, data: bytearray) -> bool:
        """Take as much from its front as can be taken; False if the place is gone."""

    def answers(self) -> bytes:
        """What the place's own protocol says to the client, besides what it receives."""

    @property
    def waits(self) -> bool:
        """True if it has to be asked again in `RETRY_S`, whether it is writable or not."""

    def tell(self) -> bool:
        """Say that no more comes; True if the place answers by its own end."""

    def throw_away(self) -> None:
        """Nothing of what was sent and has not left leaves any more."""

    def close(self) -> None:
        """End it at once."""


class TcpEnd:
    """A connection to a TCP place.

    Args:
        family: of its address.
        address: of the place, resolved.
    """

    waits = False

    def __init__(self, family: int, address: tuple[Any, ...]) -> None:
        self.is_open = False
        self.trouble: str | None = None
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What waits in the system is what a place is busy with after its holder is gone.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        # However this process ends, what has not left by then does not leave.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        try:
            self._socket.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            self.trouble = error.strerror or str(error)

    def fileno(self) -> int:
        return self._socket.fileno()

    def settle(self) -> None:
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.trouble = os.strerror(error)
        else:
            self.is_open = True

    def receive(self) -> bytes | None:
        return receive(self._socket)

    @property
    def hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, _END)  # and for errors, which needs no asking
        return bool(poll.poll(0))

    def send(self, data: bytearray) -> bool:
        return send(self._socket, data)

    def answers(self) -> bytes:
        return b""

    def tell(self) -> bool:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        return True

    def throw_away(self) -> None:
        """What the system has, the place reads before it hangs up, or it goes with `close`."""

    def close(self) -> None:
        self._socket.close()


class DeviceEnd:
    """A client's time on a serial device, which stays open from one client to the next.

    Args:
        device: open.
    """

    def __init__(self, device: ServedDevice) -> None:
        self.is_open = True
        self.trouble: str | None = None
        self._device = device
        device.begin()

    @property
    def waits(self) -> bool:
        return self._device.waits

    def fileno(self) -> int:
        return self._device.fileno()

    def settle(self) -> None:
        """A device is open from the beginning."""

    @property
    def hung_up(self) -> bool:
        return self._device.is_gone

    def receive(self) -> bytes | None:
        try:
            return self._device.receive()
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def send(self, data: bytearray) -> bool:
        try:
            self._device.send(data)
        except OSError:
            data.clear()
            return False
        return True

    def answers(self) -> bytes:
        return self._device.answers()

    def tell(self) -> bool:
        return False

    def throw_away(self) -> None:
        self._device.throw_away()

    def close(self) -> None:
        """The device is closed with the lease."""


class _NoDevice(TcpEnd):
    """A device that cannot be opened again."""

    def __init__(self, trouble: str) -> None:
        super().__init__(socket.AF_INET, ("127.0.0.1", 0))
        self.trouble = trouble


class Device:
    """A serial device of a lease; it stays open, as opening one may reset the board.

    Args:
        path: of the device.
        baud: speed of the line to begin with, in baud.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, baud: int) -> None:
        self._path, self._baud = path, baud
        self._device: ServedDevice | None = self._open()

    def _open(self) -> ServedDevice:
        from bridge.ports.served import ServedDevice

        return ServedDevice(self._path, self._baud)

    def connect(self) -> End:
        """An end for the next client. A device that went away is opened again if it is back."""
        if self._device is None or self._device.is_gone:
            self.close()
            try:
                self._device = self._open()
            except OSError as error:
                return _NoDevice(error.strerror or str(error))
        return DeviceEnd(self._device)

    def close(self) -> None:
        """Give it back."""
        device, self._device = self._device, None
        if device is not None:
            device.close()


def receive(of: socket.socket) -> bytes | None:
    """As `End.receive`."""
    try:
        return of.recv(PIECE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""


def send(to: socket.socket, data: bytearray) -> bool:
    """As `End.send`."""
    try:
        del data[: to.send(data)]
    except (BlockingIOError, InterruptedError):
        pass
    except OSError:
        data.clear()
        return False
    return True
