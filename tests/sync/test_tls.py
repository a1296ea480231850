from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator

import pytest

from bridge import sync
from bridge.errors import UsageError
from bridge.mirror.tls_cert import MOST_CERTIFICATES
from tests.hil.peers import echo
from tests.virtual.modules.tls_bench import issue, server_context

AUTHORITY = issue("authority", ca=True)


@pytest.fixture(scope="module")
def opened() -> Iterator[sync.Board]:
    with sync.open_board("virtual:?cpu=0&baud_pacing=0") as made:
        yield made


@pytest.fixture
def server(opened: sync.Board) -> Iterator[tuple[str, int]]:
    """A TLS server that sends back what comes; its address and port."""
    info = opened.net.ifinfo()
    assert info is not None
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await echo(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    context = server_context(issue("server", issuer=AUTHORITY))
    made = loop.run_until_complete(asyncio.start_server(serve, info["gateway"], 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield made.sockets[0].getsockname()[:2]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    made.close()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_a_connection_without_await(opened: sync.Board, server: tuple[str, int]) -> None:
    host, port = server
    asked: list[int] = []

    def authorities(number: int) -> bytes | None:
        asked.append(number)
        return AUTHORITY.certificate if number == 1 else None

    assert opened.tls.cert.verify(authorities) is True
    assert asked == [1, 2]
    socket = opened.tls.createConnection()
    seen: queue.Queue[tuple[object, ...]] = queue.Queue()
    for event in ("connection", "reconnection", "receive", "disconnection"):
        socket.on(event, lambda *values, event=event: seen.put((event, *values)))
    socket.connect(port, host)
    assert seen.get(timeout=60) == ("connection", socket)
    assert socket.getpeer() == (host, port)
    socket.hold()
    socket.send(b"hello")
    socket.unhold()
    assert seen.get(timeout=60) == ("receive", socket, b"hello")
    socket.close()
    assert seen.get(timeout=60) == ("disconnection", socket)
    assert opened.tls.cert.verify(False) is True
    assert opened.tls.cert.auth(False) is True
    socket.release()


def test_functions_run_here_and_their_errors_come_here(opened: sync.Board) -> None:
    threads: list[object] = []

    def own(number: int) -> None:
        threads.append(threading.current_thread())
        raise KeyError(number)

    with pytest.raises(KeyError):
        opened.tls.cert.auth(own)
    assert threads == [threading.current_thread()]
    with pytest.raises(UsageError, match=f"more than {MOST_CERTIFICATES}"):
        opened.tls.cert.verify(lambda number: b"x")
    with pytest.raises(UsageError):
        opened.tls.cert.verify()
