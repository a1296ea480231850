"""A connection to a TCP place and, once one has come, the client whose bytes go over it, in both directions.

Imported by the keeper: it needs little.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

#: Bytes read at once, and bytes that may wait in here for one side before the other is not read any more.
_PIECE = 65536
#: Seconds until a place that does not answer counts as absent.
CONNECT_S = 5.0
#: Seconds that a place may take to hang up when it has been told of the end, and a client to take the last bytes.
PARTING_S = 1.0
#: `SO_LINGER` of 0 s: closing throws away what the system has not sent yet.
_AT_ONCE = struct.pack("ii", 1, 0)
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Pair:
    """Made connecting. The end of either side ends it.

    The place is told of the end (FIN) and waited for: when it hangs up, it has read all that was sent to it before.

    Args:
        selector: of the keeper's loop; what is registered there has as data what is called with its events.
        family: of the place's address.
        address: of the place, resolved.

    Attributes:
        trouble: what the system said when the place could not be connected to.
        client: the one who was let in, until it is gone.
    """

    def __init__(self, selector: selectors.BaseSelector, family: int, address: tuple[Any, ...]) -> None:
        self._selector = selector
        self._place: socket.socket | None = socket.socket(family, socket.SOCK_STREAM)
        self.client: socket.socket | None = None
        self.trouble: str | None = None
        self.is_open = False
        self._up, self._down = bytearray(), bytearray()
        self._client_ended = self._place_ended = self._told_place = False
        self._watched: dict[socket.socket, int] = {}
        self._deadline: float | None = time.monotonic() + CONNECT_S
        place = self._place
        place.setblocking(False)
        place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # However this process ends, what has not left by then does not leave.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        try:
            place.connect(address)
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error.strerror or str(error))
        self._go_on()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do (monotonic), or None."""
        return self._deadline

    @property
    def is_over(self) -> bool:
        """True when both sides are closed."""
        return self._place is None and self.client is None

    @property
    def takes_client(self) -> bool:
        """True while nobody has been let in and the place is there."""
        return self.is_open and self.client is None and not self._client_ended

    def let_in(self, client: socket.socket) -> None:
        """Begin to relay for a client; `takes_client` must be true."""
        self.client = client
        self._go_on()

    def finish(self) -> None:
        """Let nobody in any more; who is in may finish."""
        if self.client is None:
            self._client_ended = True
            if not self.is_open:
                self._close_place()
        self._go_on()

    def cut(self) -> None:
        """From now on nothing that the client wrote leaves: end it, and throw away what has not left."""
        self._up.clear()
        self._drop_client()
        self.finish()

    def tick(self, now: float) -> None:
        """The deadline may have passed."""
        if self._deadline is None or now < self._deadline:
            return
        self._deadline = None
        if not self.is_open and self._place is not None:
            self._fail("it does not answer")
        else:
            self._close_place()
            self._drop_client()
        self._go_on()

    def _place_ready(self, events: int) -> None:
        place = self._place
        if place is None:
            return
        if not self.is_open:
            self._deadline = None
            error = place.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._fail(os.strerror(error))
            else:
                self.is_open = True
        elif events & _READ:
            data = _receive(place)
            if data:
                # When its client is gone the place is read for its end alone.
                self._down += data if self.client is not None else b""
            elif data is not None:
                self._place_ended = True
        self._go_on()

    def _client_ready(self, events: int) -> None:
        if self.client is not None and events & _READ:
            data = _receive(self.client)
            if data:
                self._up += data
            elif data is not None:
                self._client_ended = True
        self._go_on()

    def _go_on(self) -> None:
        """Send what can be sent, end what has ended, and say what is waited for."""
        if self.is_open and self._place is not None and self._up and not _send(self._place, self._up):
            self._place_ended = True
        if self.client is not None and self._down and not _send(self.client, self._down):
            self._drop_client()
        if self.is_open and self._place is not None and self._client_ended and not self._up and not self._told_place:
            self._told_place = True
            self._deadline = time.monotonic() + PARTING_S
            with contextlib.suppress(OSError):
                self._place.shutdown(socket.SHUT_WR)
        if self._place_ended:
            self._close_place()
        if self._place is None and self.client is not None:
            if not self._down:
                self._drop_client(gently=True)
            elif self._deadline is None:
                self._deadline = time.monotonic() + PARTING_S
        if self.is_over:
            self._deadline = None
        self._watch()

    def _watch(self) -> None:
        if self._place is not None:
            if not self.is_open:
                events = _WRITE
            else:
                # Before there is a client, what the place says waits in the system: for the client.
                reads = self._told_place or (self.client is not None and len(self._down) < _PIECE)
                events = (_READ if reads else 0) | (_WRITE if self._up else 0)
            self._register(self._place, events, self._place_ready)
        if self.client is not None:
            reads = not self._client_ended and len(self._up) < _PIECE and self._place is not None
            events = (_READ if reads else 0) | (_WRITE if self._down else 0)
            self._register(self.client, events, self._client_ready)

    def _register(self, of: socket.socket, events: int, ready: Callable[[int], None]) -> None:
        before = self._watched.get(of, 0)
        if events == before:
            return
        if not events:
            self._selector.unregister(of)
            del self._watched[of]
            return
        if before:
            self._selector.modify(of, events, ready)
        else:
            self._selector.register(of, events, ready)
        self._watched[of] = events

    def _forget(self, of: socket.socket) -> None:
        if self._watched.pop(of, 0):
            self._selector.unregister(of)

    def _fail(self, why: str) -> None:
        self.trouble = why
        self._place_ended = True
        self._close_place()

    def _close_place(self) -> None:
        place, self._place = self._place, None
        self.is_open = False
        self._up.clear()
        self._deadline = None
        if place is not None:
            self._forget(place)
            place.close()

    def _drop_client(self, *, gently: bool = False) -> None:
        client, self.client = self.client, None
        self._client_ended = True
        self._up.clear()
        self._down.clear()
        if client is not None:
            self._forget(client)
            if not gently:
                with contextlib.suppress(OSError):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            client.close()


def _receive(of: socket.socket) -> bytes | None:
    """What has come; b"" at the end, however it came; None where there is nothing yet."""
    try:
        return of.recv(_PIECE)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""


def _send(to: socket.socket, data: bytearray) -> bool:
    """Send as much as can be; False if the other side is gone."""
    try:
        del data[: to.send(data)]
    except (BlockingIOError, InterruptedError):
        pass
    except OSError:
        data.clear()
        return False
    return True
