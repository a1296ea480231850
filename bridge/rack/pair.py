"""A connection to a place and, once one has come, the client whose bytes go over it, in both directions.

Imported by the keeper: it needs little.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable

from bridge.rack.ends import AT_ONCE, PIECE, RETRY_S, End, receive, send

#: Seconds until a place that does not answer counts as absent.
CONNECT_S = 5.0
#: Seconds that a place may take to hang up when it has been told of the end, and either side to take the last bytes.
PARTING_S = 1.0
#: Seconds in which what a client that has ended has sent must have left.
_FLUSH_S = 10.0
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Pair:
    """The end of either side ends it.

    The place is told of the end and waited for: when it hangs up, it has read all that was sent to it before.

    Args:
        selector: of the keeper's loop; what is registered there has as data what is called with its events.
        place: the connection to the place.

    Attributes:
        trouble: why the place could not be connected to, or None.
        client: the one who was let in, until it is gone.
    """

    def __init__(self, selector: selectors.BaseSelector, place: End) -> None:
        self._selector = selector
        self._place: End | None = place
        self.client: socket.socket | None = None
        self.trouble: str | None = None
        self._up, self._down = bytearray(), bytearray()
        self._client_ended = self._place_ended = self._told_place = False
        self._watched: dict[End | socket.socket, tuple[int, int]] = {}
        self._deadline: float | None = None if place.is_open else time.monotonic() + CONNECT_S
        self._go_on()

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do (monotonic), or None."""
        if self._place is not None and self._place.is_open and self._place.waits:
            return time.monotonic() + RETRY_S
        return self._deadline

    @property
    def is_open(self) -> bool:
        """True while the place is connected to."""
        return self._place is not None and self._place.is_open

    @property
    def is_over(self) -> bool:
        """True when both sides are closed."""
        return self._place is None and self.client is None

    @property
    def takes_client(self) -> bool:
        """True while nobody has been let in and the place is there."""
        return self.is_open and self.client is None and not self._client_ended

    @property
    def is_stale(self) -> bool:
        """True if the place has hung up before anybody was let in, as a server that was started anew."""
        return self.takes_client and self._place is not None and self._place.hung_up

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
        self._drop_client()
        if self._place is not None:
            self._place.throw_away()
        self.finish()

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            if self._place is not None and not self._place.is_open:
                self.trouble = "it does not answer"
            self._close_place()
            self._drop_client()
        self._go_on()

    def _place_ready(self, events: int) -> None:
        place = self._place
        if place is None:
            return
        if not place.is_open:
            self._deadline = None
            place.settle()
        elif events & _READ:
            data = place.receive()
            if data:
                # When its client is gone the place is read for its end alone.
                self._down += data if self.client is not None else b""
            elif data is not None:
                self._place_ended = True
        self._go_on()

    def _client_ready(self, events: int) -> None:
        if self.client is not None and events & _READ:
            data = receive(self.client)
            if data:
                self._up += data
            elif data is not None:
                self._client_ended = True
        self._go_on()

    def _go_on(self) -> None:
        """Send what can be sent, end what has ended, and say what is waited for."""
        place = self._place
        if place is not None and place.trouble is not None:
            self.trouble = place.trouble
            self._close_place()
        elif place is not None and place.is_open:
            # Also with nothing new: a device may have to be given what it did not take before.
            if (self._up or place.waits) and not place.send(self._up):
                self._place_ended = True
            self._down += place.answers() if self.client is not None else b""
            if self._client_ended and not self._up and not place.waits and not self._told_place:
                self._told_place = True
                if place.tell():
                    self._deadline = time.monotonic() + PARTING_S
                else:
                    self._place_ended = True
            elif self._client_ended and self._deadline is None:
                self._deadline = time.monotonic() + _FLUSH_S
        if self.client is not None and self._down and not send(self.client, self._down):
            self._drop_client()
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
        place = self._place
        if place is not None:
            if not place.is_open:
                events = _WRITE
            else:
                # Before there is a client, what the place says waits in the system: for the client.
                reads = self._told_place or (self.client is not None and len(self._down) < PIECE)
                events = (_READ if reads else 0) | (_WRITE if self._up and not place.waits else 0)
            self._register(place, events, self._place_ready)
        if self.client is not None:
            reads = not self._client_ended and len(self._up) < PIECE and place is not None
            events = (_READ if reads else 0) | (_WRITE if self._down else 0)
            self._register(self.client, events, self._client_ready)

    def _register(self, of: End | socket.socket, events: int, ready: Callable[[int], None]) -> None:
        descriptor, before = self._watched.get(of, (of.fileno(), 0))
        if events == before:
            return
        if not events:
            self._selector.unregister(descriptor)
            del self._watched[of]
            return
        if before:
            self._selector.modify(descriptor, events, ready)
        else:
            self._selector.register(descriptor, events, ready)
        self._watched[of] = descriptor, events

    def _forget(self, of: End | socket.socket) -> None:
        if of in self._watched:
            self._selector.unregister(self._watched.pop(of)[0])

    def _close_place(self) -> None:
        place, self._place = self._place, None
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
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            client.close()
