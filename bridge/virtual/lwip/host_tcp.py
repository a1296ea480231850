"""TCP of the board through host sockets: one socket for each connection and listener."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections import deque
from typing import Protocol

from bridge.virtual.lwip.address import dotted, from_dotted
from bridge.virtual.lwip.pcb import TCP_WND
from bridge.virtual.lwip.peer import MSS, Peer
from bridge.virtual.lwip.segment import Segment

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

_SIOCOUTQ = 0x5411
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
#: Linux: bytes not yet sent are what makes a socket "writable", instead of the whole send buffer.
_TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
_TCP_QUICKACK = getattr(socket, "TCP_QUICKACK", 12)
_WINDOW_POLL = 0.005


class Wire(Protocol):
    """What a connection needs of the wire it belongs to."""

    loop: asyncio.AbstractEventLoop

    def to_board(self, segment: Segment) -> None: ...

    def forget(self, peer: Peer) -> None: ...


class _SegmentSizes:
    """How the kernel's TCP got its bytes cut into segments, from the counters of TCP_INFO (Linux).

    A stream has no such boundaries; but the board's program sees them, one receive event for each segment.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._bytes = self._segments = 0
        self._sizes: deque[int] = deque()

    def _counters(self) -> tuple[int, int] | None:
        try:
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
            return struct.unpack_from("<Q", info, 128)[0], struct.unpack_from("<I", info, 152)[0]
        except (OSError, AttributeError, struct.error):  # not Linux, or an old one
            return None

    def look(self) -> int | None:
        """Note what has arrived since the last look; to be called before reading.

        Returns:
            How many bytes can be read within the noted boundaries; None when nothing is known of them.
        """
        counters = self._counters()
        if counters is not None and counters[0] > self._bytes:
            sizes = split(counters[0] - self._bytes, counters[1] - self._segments)
            # A segment just being received is counted before its bytes are: it is left for the next look.
            self._bytes = counters[0]
            self._segments += len(sizes) if len(set(sizes)) == 1 else counters[1] - self._segments
            self._sizes.extend(sizes)
        return sum(self._sizes) or None

    def cut(self, data: bytes) -> list[bytes]:
        """Cut what was read along the noted boundaries."""
        pieces = []
        while data:
            size = self._sizes.popleft() if self._sizes else len(data)
            if size > len(data):
                self._sizes.appendleft(size - len(data))
            pieces.append(data[:size])
            data = data[size:]
        return pieces


def split(size: int, count: int) -> list[int]:
    """Sizes of about `count` segments that hold `size` bytes together, as far as that can be told.

    Equal parts if it comes out even (as when a program wrote equal pieces), also with one segment less;
    otherwise full segments and a rest.
    """
    for parts in (min(count, size), count - 1):
        if 0 < parts <= size and size % parts == 0 and size <= parts * MSS // 2:
            return [size // parts] * parts
    full, rest = divmod(size, MSS)
    return [MSS] * full + ([rest] if rest else [])


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
        self._sizes = _SegmentSizes(sock)
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
        try:
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 236)
            window: int = struct.unpack_from("<I", info, 228)[0] - _outstanding(self._sock)
        except (OSError, AttributeError, struct.error):
            return 2 * MSS
        if window < 2 * MSS:
            self._watch_window()
        return max(0, window)

    def established(self) -> None:
        self._read_more()

    def data(self, data: bytes) -> None:
        self._backlog += data
        self._flush()

    def fin(self) -> None:
        self._fin_wanted = True
        self._flush()

    def reset(self) -> None:
        self._drop(reset=True)

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
        with contextlib.suppress(OSError):
            if self._unacknowledged > 1:
                self._unacknowledged = 0
                self._sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
            self._sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 0)

    # --- ends ---

    def _peer_reset(self) -> None:
        self.peer.abort()
        self._drop()

    def _drop(self, *, reset: bool = False) -> None:
        """Close the socket; the peer is over."""
        if self._sock.fileno() < 0:
            return
        self._stop_reading()
        self._loop.remove_writer(self._sock.fileno())
        if self._poll is not None:
            self._poll.cancel()
        if reset:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._sock.close()
        self.peer.vanish()
        self._wire.forget(self.peer)

    def vanish(self) -> None:
        """The board is gone: the program at the other end gets a reset."""
        self._drop(reset=True)


def _outstanding(sock: socket.socket) -> int:
    """Bytes written to a socket that its peer has not acknowledged (Linux: SIOCOUTQ)."""
    if fcntl is None:
        return 0
    count: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), _SIOCOUTQ, bytes(4)))[0]
    return count


def open_socket() -> socket.socket:
    """A TCP socket set up to be one end of a board's connection: 1460-byte segments, a board's window."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    prepare(sock)
    return sock


def prepare(sock: socket.socket) -> None:
    """The settings of `open_socket` that an accepted socket needs as well; what a system lacks is left out."""
    for level, option, value in (
        (socket.IPPROTO_TCP, getattr(socket, "TCP_MAXSEG", 2), MSS),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, 1),
        (socket.IPPROTO_TCP, _TCP_QUICKACK, 0),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_WINDOW_CLAMP", 10), TCP_WND),
    ):
        with contextlib.suppress(OSError):
            sock.setsockopt(level, option, value)


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
