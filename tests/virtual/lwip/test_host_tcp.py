"""The host's side of a connection."""

from __future__ import annotations

import socket
import sys

import pytest

from bridge.virtual.lwip.host_tcp import address_of, open_socket, prepare, split
from bridge.virtual.lwip.peer import MSS


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


def test_addresses_become_numbers() -> None:
    assert address_of(("127.0.0.5", 80)) == (0x7F000005, 80)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's socket options")
def test_sockets_speak_in_segments_of_the_boards_size() -> None:
    with open_socket() as sock:
        assert sock.getblocking() is False
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP) == 4 * MSS
    with socket.socket() as other:
        prepare(other)
        assert other.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
