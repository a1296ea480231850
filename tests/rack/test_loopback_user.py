from __future__ import annotations

import os
import socket

import pytest

from bridge.rack import loopback_user
from bridge.rack.loopback_user import is_of_this_user
from tests.unprivileged import unprivileged


def connection(to: str = "127.0.0.1", family: int = socket.AF_INET) -> tuple[socket.socket, socket.socket]:
    """Both ends of one, the server's second."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket(family)
        client.connect((to, server.getsockname()[1]))
        return client, server.accept()[0]


def judged(client: socket.socket, served: socket.socket) -> bool:
    with client, served:
        return is_of_this_user(served.getpeername(), served.getsockname())


def test_a_connection_is_its_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(*connection())
    monkeypatch.setattr(loopback_user.os, "getuid", lambda: 54321)
    assert not judged(*connection())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_s_is_not_ours() -> None:
    with unprivileged():
        client, served = connection()
    assert not judged(client, served)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 in this Python")
def test_a_program_that_knows_ipv6_alone_is_of_this_user_too() -> None:
    """As those in Java."""
    assert judged(*connection("::ffff:127.0.0.1", socket.AF_INET6))


def test_a_connection_that_is_gone_is_nobody_s() -> None:
    client, served = connection()
    ours, theirs = served.getsockname(), served.getpeername()
    served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    served.close()
    client.close()
    assert not is_of_this_user(theirs, ours)
