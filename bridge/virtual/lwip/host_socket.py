"""Host sockets that behave, towards the host's programs, as the board's TCP would."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque

from bridge.virtual.lwip.pcb import TCP_WND
from bridge.virtual.lwip.peer import MSS

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

_SIOCOUTQ = 0x5411
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
#: Linux: bytes not yet sent are what makes a socket "writable", instead of the whole send buffer.
_TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
_TCP_QUICKACK = getattr(socket, "TCP_QUICKACK", 12)


class SegmentSizes:
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


def peer_window(sock: socket.socket) -> int | None:
    """The window that the program at the other end really has left, in bytes; None when the system does not say."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 236)
        window: int = struct.unpack_from("<I", info, 228)[0]
    except (OSError, AttributeError, struct.error):
        return None
    return max(0, window - _outstanding(sock))


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


def acknowledge(sock: socket.socket, *, now: bool) -> None:
    """Acknowledge what was received at once, or late as a lone segment."""
    with contextlib.suppress(OSError):
        if now:
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 0)


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    sock.close()
