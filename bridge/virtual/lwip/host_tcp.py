"""TCP of the board through host sockets: one socket for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Protocol

from bridge.virtual.lwip.address import dotted, from_dotted
from bridge.virtual.lwip.host_socket import SegmentSizes, acknowledge, open_socket, peer_window, reset
from bridge.virtual.lwip.peer import MSS, Peer
from bridge.virtual.lwip.segment import Segment

#: How often a small window of a peer is looked at, in seconds.
_WINDOW_POLL = 0.005


class Wire(Protocol):
    """What a connection needs of the wire it belongs to."""

    loop: asyncio.AbstractEventLoop

    def to_board(self, segment: Segment) -> None: ...

    def forget(self, peer: Peer) -> None: ...


class HostConnection:
    """A host socket behind a `Peer`.

    Args:
        wire: where the peer's segments go.
        sock: not blocking; connected or connecting.
        local, remote: the peer's and the board's (address, port).
    """

    def __init__(self, wire: Wire, sock: socket.socket, local: tuple[int, int], remote: tuple[int, int]) -> None:
        self._wire = wire
        self._loop = wire.loop
        self._sock = sock
        self._sizes = SegmentSizes(sock)
        self._backlog = bytearray()
        self._fin_wanted = self._fin_seen = False
        self._reading = False
        self._unacknowledged = 0
        self._poll: asyncio.TimerHandle | None = None
        self.peer = Peer(wire.loop, wire.to_board, self, local, remote)

    # --- opening ---

    def connect(self, address: tuple[str, int]) -> None:
        """Connect the host socket, then answer the board's SYN with what came of it."""
        code = self._sock.connect_ex(address)
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._loop.add_writer(self._sock.fileno(), self._connected)
        else:
            self._connect_result(code)

    def _connected(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        self._connect_result(self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _connect_result(self, code: int) -> None:
        if code == 0:
            acknowledge(self._sock, now=False)  # connecting has undone this setting
            self.peer.accept()
        else:
            if code == errno.ECONNREFUSED:
                self.peer.refuse()
            self._drop()

    # --- Owner of the peer ---

    def window(self) -> int:
        """The window that the program at the other end really has, as the kernel knows it."""
        if self._backlog:
            return 0
        window = peer_window(self._sock)
        if window is None:
            return 2 * MSS
        if window < 2 * MSS:
            self._watch_window()
        return window

    def established(self) -> None:
        self._read_more()

    def data(self, data: bytes) -> None:
        self._backlog += data
        self._flush()

    def fin(self) -> None:
        self._fin_wanted = True
        self._flush()

    def reset(self) -> None:
        self._drop(with_reset=True)

    def room(self) -> None:
        self._read_more()

    def closed(self) -> None:
        self._drop()

    # --- from the board to the host ---

    def _flush(self) -> None:
        try:
            while self._backlog:
                sent = self._sock.send(self._backlog)
                del self._backlog[:sent]
            if self._fin_wanted:
                self._fin_wanted = False
                self._sock.shutdown(socket.SHUT_WR)
        except (BlockingIOError, InterruptedError):
            self._loop.add_writer(self._sock.fileno(), self._writable)
        except OSError:
            self._peer_reset()

    def _writable(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        self._flush()
        self.peer.window_opened()

    def _watch_window(self) -> None:
        """The kernel tells nobody when a peer's window opens, so look at it while it is small."""
        if self._poll is None:
            self._poll = self._loop.call_later(_WINDOW_POLL, self._look_at_window)

    def _look_at_window(self) -> None:
        self._poll = None
        if self._sock.fileno() >= 0:
            self.window()
            self.peer.window_opened()

    # --- from the host to the board ---

    def _read_more(self) -> None:
        if not self._reading and not self._fin_seen and self.peer.wants() and self._sock.fileno() >= 0:
            self._reading = True
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock.fileno())

    def _readable(self) -> None:
        wants = self.peer.wants()
        if not wants:
            self._stop_reading()
            return
        noted = self._sizes.look()
        try:
            data = self._sock.recv(wants if noted is None else min(wants, noted))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._peer_reset()
            return
        if not data:
            self._fin_seen = True
            self._stop_reading()
            self.peer.finish()
            return
        pieces = self._sizes.cut(data)
        self._acknowledge(len(pieces))
        for piece in pieces:
            self.peer.send(piece)

    def _acknowledge(self, count: int) -> None:
        """Let the kernel acknowledge as the board does: every second segment at once, a lone one late.

        A sender's Nagle and its congestion window then work as they would towards the board.
        """
        self._unacknowledged += count
        acknowledge(self._sock, now=self._unacknowledged > 1)
        self._unacknowledged = 0 if self._unacknowledged > 1 else self._unacknowledged

    # --- ends ---

    def _peer_reset(self) -> None:
        self.peer.abort()
        self._drop()

    def _drop(self, *, with_reset: bool = False) -> None:
        """Close the socket; the peer is over."""
        if self._sock.fileno() < 0:
            return
        self._stop_reading()
        self._loop.remove_writer(self._sock.fileno())
        if self._poll is not None:
            self._poll.cancel()
        if with_reset:
            reset(self._sock)
        self._sock.close()
        self.peer.vanish()
        self._wire.forget(self.peer)

    def vanish(self) -> None:
        """The board is gone: the program at the other end gets a reset."""
        self._drop(with_reset=True)


def connect_for(wire: Wire, segment: Segment) -> HostConnection:
    """Open a connection for a SYN of the board, from the board's own address and, if free, its port."""
    sock = open_socket()
    source = dotted(segment.source)
    try:
        sock.bind((source, segment.source_port))
    except OSError:
        with contextlib.suppress(OSError):
            sock.bind((source, 0))
    local, remote = (segment.target, segment.target_port), (segment.source, segment.source_port)
    connection = HostConnection(wire, sock, local, remote)
    connection.peer.receive(segment)
    return connection


def address_of(name: tuple[str, int]) -> tuple[int, int]:
    """A socket's name with the address as an int."""
    return from_dotted(name[0]), name[1]
