"""bridge/rack/relay.py, pair.py and ends.py: what a keeper does between a place and its holder, on real sockets."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.rack import loopback_user
from bridge.rack import relay as relays
from bridge.rack.ends import End, TcpEnd
from bridge.rack.relay import Relay


class Loop:
    """A keeper's loop with one relay, in a thread. Everything is done there."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, woken = socket.socketpair()
        self._woken = woken
        self._selector.register(woken, selectors.EVENT_READ, lambda events: woken.recv(100))
        self._orders: list[bool | None] = []
        self.connected: list[str | None] = []
        self.ended = threading.Event()
        self.answered = threading.Event()

        def connect() -> End:
            return TcpEnd(socket.AF_INET, address)

        self.relay = Relay(self._selector, connect, self._connected, self.ended.set)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self, *, at_once: bool) -> None:
        self._orders.append(at_once)
        self._wake.send(b"x")

    def client(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.relay.tcp_port), 10)
        client.settimeout(10)
        return client

    def close(self) -> None:
        if not self.ended.is_set():
            self.end(at_once=True)
        self._thread.join()
        self._wake.close()
        self._woken.close()
        self._selector.close()

    def _connected(self, why: str | None) -> None:
        self.connected.append(why)
        self.answered.set()

    def _run(self) -> None:
        while not self.ended.is_set():
            deadline = self.relay.deadline
            for key, events in self._selector.select(None if deadline is None else max(0, deadline - time.monotonic())):
                key.data(events)
            while self._orders:
                self.relay.end(at_once=bool(self._orders.pop(0)))
            self.relay.tick(time.monotonic())


@contextmanager
def served() -> Iterator[tuple[Loop, socket.socket]]:
    """A relay to a place, and the place's listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        place.settimeout(10)
        loop = Loop(place.getsockname())
        try:
            yield loop, place
        finally:
            loop.close()


def accept(place: socket.socket) -> socket.socket:
    connection = place.accept()[0]
    connection.settimeout(10)
    return connection


def read(of: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := of.recv(count - len(data))):
        data += piece
    return data


def test_bytes_pass_both_ways_and_each_client_has_a_connection_of_its_own() -> None:
    with served() as (loop, place):
        there = accept(place)
        assert loop.answered.wait(10) and loop.connected == [None]
        there.sendall(b"before the client")
        for number in range(3):
            with loop.client() as client:
                there = accept(place) if number else there
                if not number:
                    assert read(client, 17) == b"before the client"
                client.sendall(bytes(range(256)) * 100)
                assert read(there, 25600) == bytes(range(256)) * 100
                there.sendall(b"answer")
                assert read(client, 6) == b"answer"
            # The place reads to the end before it is connected to again.
            assert there.recv(10) == b""
            there.close()


def test_a_large_transfer_waits_for_the_slower_side() -> None:
    with served() as (loop, place), accept(place) as there, loop.client() as client:
        data = bytes(range(256)) * 8192
        sender = threading.Thread(target=client.sendall, args=[data])
        sender.start()
        assert read(there, len(data)) == data
        sender.join()


def test_the_end_of_the_place_is_the_client_s_end_after_the_last_byte() -> None:
    with served() as (loop, place):
        there, client = accept(place), loop.client()
        client.sendall(b"x")
        assert read(there, 1) == b"x"
        there.sendall(b"last words")
        there.close()
        assert read(client, 100) == b"last words"
        client.close()
        # The next client is a new try.
        with loop.client() as again, accept(place) as back:
            again.sendall(b"y")
            assert read(back, 1) == b"y"


@pytest.mark.parametrize("said", [b"", b"\xff\xfb\x2c"], ids=["silent", "with first words"])
def test_a_place_that_was_started_anew_before_its_first_client_is_connected_to_anew(said: bytes) -> None:
    with served() as (loop, place):
        there = accept(place)
        assert loop.answered.wait(10)
        there.sendall(said)
        there.close()
        with loop.client() as client, accept(place) as back:
            client.sendall(b"x")
            assert read(back, 1) == b"x"
            back.sendall(b"y")
            assert read(client, 1) == b"y", "and nothing of the connection before"


def test_a_second_client_waits_for_the_first_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "_NEXT_CLIENT_S", 0.2)
    with served() as (loop, place), accept(place), loop.client() as first:
        first.sendall(b"x")
        with loop.client() as second:
            assert second.recv(10) == b"", "it is hung up on"


def test_at_once_nothing_leaves_any_more_that_the_place_has_not_taken() -> None:
    with served() as (loop, place):
        there = accept(place)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client = loop.client()
        client.setblocking(False)
        sent = 0
        try:
            while True:
                sent += client.send(b"z" * 65536)
                time.sleep(0.01)
        except BlockingIOError:
            pass
        loop.end(at_once=True)
        assert loop.ended.wait(10)
        got = 0
        try:
            while piece := there.recv(65536):
                got += len(piece)
        except ConnectionResetError:
            pass
        assert got < sent
        there.close()
        with pytest.raises(OSError):
            loop.client()
        client.close()


def test_given_back_what_was_written_arrives() -> None:
    with served() as (loop, place), accept(place) as there:
        with loop.client() as client:
            client.sendall(b"last")
            client.shutdown(socket.SHUT_WR)
            loop.end(at_once=False)
            assert read(there, 100) == b"last"
        there.close()
        assert loop.ended.wait(10)


def test_a_place_that_is_not_there_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        address = place.getsockname()
    loop = Loop(address)
    try:
        assert loop.answered.wait(10)
        assert loop.connected == ["Connection refused"]
    finally:
        loop.close()


def test_another_user_s_connection_is_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback_user.os, "getuid", lambda: 54321)
    with served() as (loop, place), accept(place):
        with loop.client() as client:
            assert client.recv(10) == b""


def test_a_relay_that_cannot_be_served_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a process may have no more files open."""

    def in_vain(*_: object, **__: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    with socket.create_server(("127.0.0.1", 0)) as place, selectors.DefaultSelector() as selector:
        monkeypatch.setattr(relays.socket, "create_server", in_vain)
        made: list[TcpEnd] = []

        def connect() -> End:
            made.append(TcpEnd(socket.AF_INET, place.getsockname()))
            return made[-1]

        with pytest.raises(OSError, match="Too many"):
            Relay(selector, connect, lambda why: None, lambda: None)
        assert not selector.get_map() and all(end.fileno() < 0 for end in made)
