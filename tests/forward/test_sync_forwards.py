"""Forwards of a program that has no event loop: blocking sockets on both sides."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from bridge import sync
from bridge.errors import BridgeError, PortBusy, UsageError
from bridge.forward import SyncForwards, local, remote


@pytest.fixture(scope="module")
def board() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as made:
        yield made


def _addresses(board: sync.Board) -> tuple[str, str]:
    info = board.net.ifinfo()
    assert info is not None
    return info["ip"], info["gateway"]


def test_both_ways_at_once(board: sync.Board) -> None:
    ip, here = _addresses(board)
    with socket.create_server((here, 0)) as server, socket.create_server(("127.0.0.1", 0)) as ours:
        server.settimeout(30)
        ours.settimeout(30)
        wanted = [local(f"0:{here}:{server.getsockname()[1]}"), remote(f"0:127.0.0.1:{ours.getsockname()[1]}")]
        with SyncForwards(board, wanted) as running:
            there, back = running
            assert len(running) == 2 and running[0] is there and there.line.startswith("127.0.0.1:")
            for target, listener in ((there.address, server), ((ip, back.address[1]), ours)):
                with socket.create_connection(target, 30) as client:
                    accepted, who = listener.accept()
                    with accepted:
                        client.sendall(b"to")
                        assert accepted.recv(10) == b"to"
                        accepted.sendall(b"from")
                        assert client.recv(10) == b"from"
                        assert who[0] == (ip if listener is server else "127.0.0.1")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(there.address, 30)


def test_what_went_wrong_is_told_on_the_thread_of_callbacks(board: sync.Board) -> None:
    _, here = _addresses(board)
    told: queue.Queue[tuple[str, str]] = queue.Queue()
    with socket.create_server((here, 0)) as closed:
        nobody = closed.getsockname()[1]
    listening = [local(f"0:{here}:{nobody}")]
    with SyncForwards(board, listening, told=lambda line: told.put((line, threading.current_thread().name))) as [one]:
        with socket.create_connection(one.address, 30) as client:
            client.settimeout(30)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        line, thread = told.get(timeout=30)
        assert str(nobody) in line and thread == "bridge-callbacks"
        with pytest.raises(PortBusy), SyncForwards(board, [local(f"{one.address[1]}:{here}:1")]):
            pass


def test_they_are_used_within_with(board: sync.Board) -> None:
    with pytest.raises(UsageError, match="do not run"):
        SyncForwards(board, []).serve_forever()


def test_who_waits_for_their_end_hears_of_the_board_that_is_closed() -> None:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as board:
        with SyncForwards(board, [local("0:example.test:80")]) as running:
            closing = threading.Timer(0.1, board.close)
            closing.start()
            with pytest.raises(BridgeError, match="closed"):
                running.serve_forever()
            closing.join()
