"""Serves a place to its holder alone: what the holder writes goes through this process, or nowhere.

One client at a time; when it has ended the place is connected to anew for the next one, as each has telnet to settle
for itself. Imported by the keeper: it needs little.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

from bridge.rack.ends import End
from bridge.rack.loopback_user import is_of_this_user
from bridge.rack.pair import Pair

#: Seconds that a client which comes while another is there is kept waiting.
_NEXT_CLIENT_S = 2.0
#: Seconds that the client of a lease which is given back may take to end.
_CLIENT_S = 1.0


class Relay:
    """One place, served; the keeper's loop calls `tick`.

    Args:
        selector: of the keeper's loop; what is registered there has as data what is called with its events.
        connect: makes a connection to the place.
        connected: called once from `tick`, with None when the place answers, or with why it does not.
        ended: called once from `tick`, when the place has been given up after `end`.

    Attributes:
        tcp_port: where the holder finds it, on 127.0.0.1.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        connect: Callable[[], End],
        connected: Callable[[str | None], None],
        ended: Callable[[], None],
    ) -> None:
        self._selector = selector
        self._connect = connect
        self._connected: Callable[[str | None], None] | None = connected
        self._ended: Callable[[], None] | None = ended
        self._next: socket.socket | None = None
        self._next_until = 0.0
        self._ending = False
        self._cut_at: float | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self._listener.setblocking(False)
        try:
            self._pair = Pair(selector, connect())
        except BaseException:
            self._listener.close()
            raise
        self.tcp_port: int = self._listener.getsockname()[1]
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do (monotonic), or None."""
        times = [self._pair.deadline, self._cut_at, self._next_until if self._next is not None else None]
        return min((at for at in times if at is not None), default=None)

    def end(self, *, at_once: bool) -> None:
        """The lease is over.

        Args:
            at_once: nothing may leave any more that the holder wrote. Else its client may finish within a moment.
        """
        if not self._ending:
            if not at_once:
                self.take_in()  # one that has just connected may have written already
            self._ending = True
            self._selector.unregister(self._listener)
            self._listener.close()
        if at_once:
            self._drop_next()
            self._pair.cut()
        elif self._cut_at is None:
            self._cut_at = time.monotonic() + _CLIENT_S
            if self._next is None:
                self._pair.finish()

    def tick(self, now: float) -> None:
        """Something has happened, or time has passed."""
        self._pair.tick(now)
        if self._cut_at is not None and now >= self._cut_at:
            self._cut_at = None
            self._drop_next()
            self._pair.cut()
        if self._connected is not None and (self._pair.is_open or self._pair.is_over):
            told, self._connected = self._connected, None
            told(self._pair.trouble)
        if self._pair.is_over:
            if self._ending and (self._next is None or self._pair.trouble is not None):
                self._drop_next()
                ended, self._ended = self._ended, None
                if ended is not None:
                    ended()
                return
            if self._next is not None and self._pair.trouble is None:
                self._pair = Pair(self._selector, self._connect())
            elif self._next is not None:
                # The place has gone, which the client is to see; the next one is a new try.
                self._drop_next()
                self._pair.trouble = None
        if self._next is not None and self._pair.is_stale:
            self._pair.finish()  # and when that is over the place is connected to anew
        if self._next is not None and self._pair.takes_client:
            client, self._next = self._next, None
            self._pair.let_in(client)
        elif self._next is not None and now >= self._next_until and self._pair.is_open:
            self._drop_next()

    def take_in(self) -> None:
        """See who has connected by now: while a client is connected it can be told whose it is."""
        if not self._ending:
            while self._accept(0):
                pass

    def _accept(self, events: int) -> bool:
        """Take one in; False if there is none."""
        try:
            client, address = self._listener.accept()
        except OSError:
            return False
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not is_of_this_user(address, client.getsockname()):
            client.close()
            return True
        self._drop_next()
        self._next, self._next_until = client, time.monotonic() + _NEXT_CLIENT_S
        return True

    def _drop_next(self) -> None:
        client, self._next = self._next, None
        if client is not None:
            client.close()
