"""Host sockets that behave as the board's TCP would."""

from __future__ import annotations

import socket
import sys

import pytest

from bridge.virtual.lwip.host_socket import SegmentSizes, acknowledge, open_socket, peer_window, prepare, reset, split
from bridge.virtual.lwip.peer import MSS

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's socket options")


@pytest.mark.parametrize(
    ("size", "count", "sizes"),
    [
        (100, 1, [100]),
        (20, 20, [1] * 20),
        (1000, 10, [100] * 10),
        (10240, 8, [MSS] * 7 + [20]),
        (10240, 9, [MSS] * 7 + [20]),
        (2 * MSS, 2, [MSS, MSS]),
        (5, 9, [1] * 5),
        (103, 3, [103]),
        (1000, 11, [100] * 10),
        (3000, 1, [MSS, MSS, 80]),
    ],
)
def test_how_bytes_were_cut_into_segments(size: int, count: int, sizes: list[int]) -> None:
    assert split(size, count) == sizes and sum(sizes) == size


@linux
def test_sockets_speak_in_segments_of_the_boards_size() -> None:
    with open_socket() as sock:
        assert sock.getblocking() is False
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP) == 4 * MSS
    with socket.socket() as other:
        prepare(other)
        assert other.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def pair(receive_buffer: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection; the first is set up as the board's."""
    with socket.socket() as listening:
        if receive_buffer is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        ours = open_socket()
        ours.setblocking(True)
        ours.connect(listening.getsockname())
        theirs, _ = listening.accept()
    return ours, theirs


@linux
def test_boundaries_of_what_a_program_wrote_are_seen() -> None:
    ours, theirs = pair()
    with ours, theirs:
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sizes = SegmentSizes(ours)
        assert sizes.look() is None
        for size in (3, 3, 3):
            theirs.sendall(b"x" * size)
        assert sizes.look() == 9
        assert sizes.cut(ours.recv(5)) == [b"xxx", b"xx"]
        assert sizes.cut(ours.recv(9)) == [b"x", b"xxx"]


@linux
def test_small_writes_are_joined_while_the_board_does_not_acknowledge() -> None:
    ours, theirs = pair()
    with ours, theirs:
        acknowledge(ours, now=False)
        for _ in range(10):
            theirs.sendall(b"x" * 100)
        assert len(ours.recv(4096)) == 100
        acknowledge(ours, now=True)
        assert len(ours.recv(4096)) == 900


@linux
def test_the_window_of_a_program_that_does_not_read_closes() -> None:
    ours, theirs = pair(receive_buffer=4096)
    with ours, theirs:
        window = peer_window(ours)
        assert window is not None and window > 1000
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            for _ in range(100):
                ours.sendall(b"x" * 1000)
        assert (peer_window(ours) or 0) < 1000


def test_a_reset_is_one() -> None:
    ours, theirs = pair()
    with theirs:
        reset(ours)
        with pytest.raises(ConnectionResetError):
            theirs.recv(1)
