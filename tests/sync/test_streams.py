from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from bridge import sync
from bridge.errors import NetTimeout
from bridge.portal import portal
from tests.test_layers import ROOT


@pytest.fixture(scope="module")
def opened() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as made:
        yield made


@pytest.fixture
def listener(opened: sync.Board) -> Iterator[socket.socket]:
    """A listening socket of this computer that the board can reach."""
    info = opened.net.ifinfo()
    assert info is not None
    with socket.create_server((info["gateway"], 0)) as made:
        made.settimeout(20)
        yield made


@pytest.fixture(autouse=True)
def _nothing_is_left(opened: sync.Board) -> Iterator[None]:
    async def tasks() -> set[asyncio.Task[object]]:
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    async def free() -> None:
        async with asyncio.timeout(10):
            while opened._board._slots.taken or await tasks() - before:
                gc.collect()
                await asyncio.sleep(0.01)

    before, threads = portal().call(tasks()), {*threading.enumerate()}
    yield
    portal().call(free())
    assert {*threading.enumerate()} - threads == set()


def test_reading_and_writing(opened: sync.Board, listener: socket.socket) -> None:
    with opened.open_connection(*listener.getsockname()) as stream:
        peer, address = listener.accept()
        with peer:
            assert stream.peername == listener.getsockname() and stream.sockname == address
            assert stream.write(b"hello") == 5
            assert peer.recv(100) == b"hello"
            peer.sendall(b"a line\nexactly and the rest\nto the end")
            assert stream.readline() == b"a line\n"
            assert stream.readexactly(7) == b"exactly"
            assert stream.read(4) == b" and"
            peer.shutdown(socket.SHUT_WR)
            assert [*stream] == [b" the rest\n", b"to the end"]
            assert stream.read() == b""
    stream.close()
    assert "closed" in repr(stream)


def test_much(opened: sync.Board, listener: socket.socket) -> None:
    data = os.urandom(60_000)
    with opened.open_connection(*listener.getsockname()) as stream:
        peer, _ = listener.accept()
        with peer:
            sender = threading.Thread(target=peer.sendall, args=(data,))
            sender.start()
            assert stream.readexactly(len(data)) == data
            sender.join()
            stream.write(data)
            stream.close()
            got = b""
            while part := peer.recv(65_536):
                got += part
            assert got == data


def test_times(opened: sync.Board, listener: socket.socket) -> None:
    with opened.open_connection(*listener.getsockname()) as stream:
        peer, _ = listener.accept()
        with peer:
            for read in (stream.read, stream.readline, lambda **time: stream.readexactly(5, **time)):
                with pytest.raises(NetTimeout, match=r"within 0\.05 s"):
                    read(timeout=0.05)
            peer.sendall(b"late\n")
            assert stream.readline(timeout=20) == b"late\n", "nothing was lost"


def test_nothing_is_lost_of_all_to_the_end_either(opened: sync.Board, listener: socket.socket) -> None:
    with opened.open_connection(*listener.getsockname()) as stream:
        peer, _ = listener.accept()
        with peer:

            def say(data: bytes) -> None:
                """And be given up by who waits for the end, once it has come."""
                peer.sendall(data)
                with pytest.raises(NetTimeout):
                    stream.read(timeout=1)

            say(b"one\ntwo\nthr")
            assert stream.readline() == b"one\n" and stream.read(2) == b"tw"
            peer.sendall(b"ee\nfour")
            assert stream.readline() == b"o\n" and stream.readline() == b"three\n"
            say(b"five")
            assert stream.readexactly(3) == b"fou"
            peer.sendall(b"six")
            assert stream.readexactly(8) == b"rfivesix"
            say(b"seven")
            with pytest.raises(ValueError):
                stream.readexactly(-1)
            say(b"eight")
            peer.shutdown(socket.SHUT_WR)
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                stream.readexactly(99)
            assert (caught.value.partial, caught.value.expected) == (b"seveneight", 99)
            assert stream.read() == b"" == stream.read(5) == stream.readexactly(0)


def test_errors_are_pythons_own(opened: sync.Board, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    with opened.open_connection(host, port) as stream:
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        with pytest.raises(ConnectionResetError):
            stream.read()
        with pytest.raises(ConnectionResetError):
            stream.write(b"x")
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        opened.open_connection(host, port)
    with pytest.raises(ValueError, match="is no port"):
        opened.open_connection(host, 70_000)
    with pytest.raises(socket.gaierror):
        opened.open_connection("a..b", 80)


def test_an_exception_aborts(opened: sync.Board, listener: socket.socket) -> None:
    with pytest.raises(LookupError):
        with opened.open_connection(*listener.getsockname()) as stream:
            peer, _ = listener.accept()
            raise LookupError
    assert "closed" in repr(stream)
    peer.close()


def test_a_stream_that_is_dropped_is_closed(opened: sync.Board, listener: socket.socket) -> None:
    stream = opened.open_connection(*listener.getsockname())
    peer, _ = listener.accept()
    del stream
    gc.collect()
    with peer:
        peer.settimeout(20)
        assert peer.recv(1) == b""


def test_a_server(opened: sync.Board) -> None:
    seen: list[object] = []

    def serve(stream: sync.Stream) -> None:
        seen.extend((type(stream), threading.current_thread().name))
        stream.write(b"hello " + stream.readline())

    with opened.start_server(serve) as server:
        assert server.address is not None
        info = opened.net.ifinfo()
        assert info is not None
        for _ in range(3):
            with socket.create_connection((info["ip"], server.address[1]), timeout=20) as peer:
                peer.sendall(b"world\n")
                assert peer.makefile("rb").read() == b"hello world\n"
    assert seen == [sync.Stream, "bridge-callbacks"] * 3
    assert server.address is None and "closed" in repr(server)
    with pytest.raises(ValueError, match="is no port"):
        opened.start_server(serve, 99_999)


def test_a_server_whose_function_raises(opened: sync.Board, caplog: pytest.LogCaptureFixture) -> None:
    def serve(stream: sync.Stream) -> None:
        raise LookupError("of the callback")

    info = opened.net.ifinfo()
    assert info is not None
    with opened.start_server(serve, 8_090) as server:
        assert server.address == ("0.0.0.0", 8_090)
        with socket.create_connection((info["ip"], 8_090), timeout=20) as peer:
            assert peer.recv(1) == b""
    opened.eval("1")
    assert "of the callback" in caplog.text


SCRIPT = """
import socket, sys
from bridge import sync
board = sync.open_board("virtual:?cpu=0&baud_pacing=0")
with socket.create_server((board.net.ifinfo()["gateway"], 0)) as listener:
    stream = board.open_connection(*listener.getsockname())
    server = board.start_server(lambda stream: stream.read())
    print("reading", flush=True)
    {rest}
"""


def run(rest: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(rest=rest)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "reading\n"
    return process


def test_an_interrupt_ends_a_read_and_the_program() -> None:
    with run("stream.read()") as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (1, 130, -signal.SIGINT) and said.count("Traceback") == 1
    assert said.rstrip().endswith("KeyboardInterrupt")


def test_a_program_that_ends_with_connections_open_ends_quietly() -> None:
    with run("pass") as process:
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
