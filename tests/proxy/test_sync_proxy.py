"""A proxy of a program that has no event loop: urllib in the program itself, curl beside it."""

from __future__ import annotations

import http.server
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from bridge import sync
from bridge.errors import BridgeError, PortBusy, UsageError
from bridge.proxy import Credentials, Served, SyncProxy
from tests.programs import require


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"hello {self.client_address[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def board() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as made:
        yield made


@pytest.fixture(scope="module")
def hello(board: sync.Board) -> Iterator[str]:
    """The URL of a web server that the board reaches, which says who asks."""
    info = board.net.ifinfo()
    assert info is not None
    with http.server.ThreadingHTTPServer((info["gateway"], 0), _Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield "http://{}:{}/".format(*server.server_address[:2])
        server.shutdown()
        thread.join()


def test_programs_and_the_script_itself_fetch_by_the_board(board: sync.Board, hello: str) -> None:
    told: queue.Queue[tuple[Served, str]] = queue.Queue()
    info = board.net.ifinfo()
    assert info is not None
    with SyncProxy(board, tcp_port=0, told=lambda served: told.put((served, threading.current_thread().name))) as proxy:
        assert proxy.url == f"socks5h://127.0.0.1:{proxy.address[1]}"
        by_http = urllib.request.ProxyHandler({"http": "http://{}:{}".format(*proxy.address)})
        with urllib.request.build_opener(by_http).open(hello, timeout=30) as answer:
            assert answer.read().decode() == f"hello {info['ip']}"
        fetched, thread = told.get(timeout=30)
        assert (fetched.kind, fetched.outcome, thread) == ("fetch", "served", "bridge-callbacks")
        curl = [require("curl"), "-sS", "-x", proxy.url, hello]
        assert subprocess.run(curl, capture_output=True, text=True, timeout=30).stdout == f"hello {info['ip']}"
        assert told.get(timeout=30)[0].kind == "connect"
        assert board.eval("1+1") == 2
        address = proxy.address
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.build_opener(by_http).open(hello, timeout=30)
    with SyncProxy(board, tcp_port=address[1]) as again:
        assert again.address == address and again.clients == 0


def test_what_is_wrong_is_said_without_a_proxy(board: sync.Board) -> None:
    with pytest.raises(UsageError, match="needs a user and a password"):
        SyncProxy(board, host="0.0.0.0")
    closed = SyncProxy(board, tcp_port=0, credentials=Credentials("me", "secret"))
    assert repr(closed) == "<SyncProxy closed>"
    with pytest.raises(UsageError, match="does not listen"):
        _ = closed.url
    with SyncProxy(board, tcp_port=0) as proxy, pytest.raises(PortBusy, match="Another program listens"):
        SyncProxy(board, tcp_port=proxy.address[1]).open()


def test_who_waits_for_its_end_hears_of_the_board_that_is_closed() -> None:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as board:
        proxy = SyncProxy(board, tcp_port=0)
        proxy.open()
        closing = threading.Timer(0.1, board.close)
        closing.start()
        with pytest.raises(BridgeError, match="closed"):
            proxy.serve_forever()
        closing.join()
        proxy.close()
        proxy.close()
