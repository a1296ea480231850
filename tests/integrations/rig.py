"""A virtual board served by RFC 2217, and real servers on loopback that it can reach."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.server
import itertools
import os
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from bridge.board import Board
from bridge.opening import open_board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.virtual.modules.tls_bench import issue, server_context

#: A board that costs a test little.
QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0)
#: Each test has a network of its own on loopback: the host is .1, the board .2.
_networks = (f"127.{200 + os.getpid() % 20}.{number}" for number in itertools.count(1))
#: More than twelve records of TLS.
LARGE = Random(6).randbytes(210_000)
AUTHORITY = issue("authority", ca=True)
NAME = "server.test"
IDENTITY = issue(NAME, issuer=AUTHORITY, names=(NAME,))
#: What the board can check, and its heap bears.
OF_BOARD = issue("server")


def believing() -> ssl.SSLContext:
    """A client's context that believes the authority."""
    return ssl.create_default_context(cadata=AUTHORITY.certificate.decode())


@dataclass
class Bench:
    """An open board, the network it is in, and its virtual half."""

    board: Board
    virtual: VirtualBoard
    network: str

    @property
    def host(self) -> str:
        """Address of this computer in the board's network, which `NAME` stands for as well."""
        return f"{self.network}.1"

    @property
    def connections(self) -> int:
        """Connections that count for the board's slots."""
        return self.board._slots.taken

    @property
    def handles(self) -> int:
        """Objects of the board that are held here."""
        gc.collect()
        return len(self.board._table or ())

    async def settled(self, handles: int) -> None:
        """Wait until every slot is free, and no more handles are there than given."""
        slots = self.board._slots
        for slot in [await slots.acquire(30, "") for _ in range(slots.count)]:
            slot.release()
        async with asyncio.timeout(30):
            while self.handles > handles:
                await self.board.node.heap()  # a round trip: what lets go of handles is under way


@asynccontextmanager
async def bench(options: VirtualOptions = QUICK) -> AsyncIterator[Bench]:
    """A board that is open; afterwards nothing of it may be left."""
    network = next(_networks)
    before = {task for task in asyncio.all_tasks()}
    made = replace(options, address=f"{network}.2", hosts=f"{NAME}={network}.1", network="host")
    async with VirtualBoard(made) as virtual:
        server = await serve_rfc2217(virtual)
        try:
            async with open_board(server.url) as board:
                errors: list[Any] = []
                board.on("error", lambda *values: errors.append(values))
                there = Bench(board, virtual, network)
                handles = there.handles
                yield there
                await there.settled(handles)
                assert errors == []
        finally:
            await server.close()
    left = {task for task in asyncio.all_tasks() if not task.done()} - before
    assert left == set(), "a task is left"


def descriptors() -> set[str]:
    """What this process has open."""
    gc.collect()
    return {
        f"{number} {os.readlink(path)}"
        for number in os.listdir("/proc/self/fd")
        if os.path.exists(path := f"/proc/self/fd/{number}")
    }


def run(scenario: Callable[[Bench], Awaitable[None]], **options: Any) -> None:
    """Run a test on a board; what the loop complains of is a failure, and so is a thread or descriptor that is left.

    Args:
        scenario: the test.
        options: of the board.
    """
    complaints: list[dict[str, Any]] = []
    threads, before = threading.active_count(), descriptors()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with asyncio.timeout(100), bench(replace(QUICK, **options)) as there:
            await scenario(there)

    asyncio.run(main())
    assert complaints == []
    assert descriptors() - before == set()
    assert threading.active_count() <= threads


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what tests fetch."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: WebServer

    def do_GET(self) -> None:
        with self.server.serving():
            self._get()

    def _get(self) -> None:
        self.server.gate.wait(60)
        match self.path:
            case "/large":
                self._answer(LARGE)
            case "/reset":  # in the middle of the body
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(bytes(3_000))
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            case "/short":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(bytes(3_000))
                self.close_connection = True
            case "/silent":
                self.server.leave.wait(60)
                self.close_connection = True
            case "/slow":  # says that it goes on, and does not
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(bytes(3_000))
                self.wfile.flush()
                self.server.leave.wait(60)
                self.close_connection = True
            case "/close":
                self.close_connection = True
                self._answer(b"the last one", ("Connection", "close"))
            case _:
                self._answer(f"asked for {self.path} of {self.headers['Host']}".encode())

    def do_POST(self) -> None:
        if self.path == "/silent":
            self.do_GET()
            return
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class WebServer(http.server.ThreadingHTTPServer):
    """A server of its own threads. `gate` holds requests up, `leave` ends those that say nothing."""

    request_queue_size = 50

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), Handler)
        self.gate, self.leave = threading.Event(), threading.Event()
        self.gate.set()
        self.context: ssl.SSLContext | None = None
        self.accepted = 0
        #: Addresses of clients.
        self.clients: set[str] = set()
        #: Requests that are being served, and the most at once.
        self.now = self.most = 0
        self._change = threading.Condition()
        #: Server names that clients asked for.
        self.names: list[str | None] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.accepted += 1
        self.clients.add(address[0])
        return connection, address

    def url(self, scheme: str = "http", path: str = "") -> str:
        """Where it is, for a board of the bench."""
        return f"{scheme}://{NAME}:{self.server_port}{path}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """A request is being served."""
        with self._change:
            self.now += 1
            self.most = max(self.most, self.now)
            self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self.now -= 1

    async def waiting(self, count: int) -> None:
        """Wait until so many requests are being served."""

        def wait() -> bool:
            with self._change:
                return self._change.wait_for(lambda: self.now >= count, 30)

        assert await asyncio.to_thread(wait), f"{self.now} requests came"

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            if self.context is not None:
                request.settimeout(60)
                with self.context.wrap_socket(request, server_side=True) as encrypted:
                    super().finish_request(encrypted, client_address)
                return
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # connections that break off are what some tests want

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.context = context


@contextmanager
def web_server(host: str, *, context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """A web server in a thread."""
    with WebServer(host) as server:
        if context is not None:
            server.encrypt(context)
        thread = threading.Thread(target=lambda: server.serve_forever(0.01))
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.leave.set()
            server.shutdown()
            thread.join()


def unused(host: str) -> int:
    """A port where nobody listens."""
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@dataclass
class Tap:
    """What a server said, as it stood on the wire."""

    port: int = 0
    said: bytearray = field(default_factory=bytearray)

    def records(self) -> list[int]:
        """Sizes of the TLS records that carry data."""
        sizes, at = [], 0
        while at + 5 <= len(self.said):
            kind, _, size = struct.unpack_from(">BHH", self.said, at)
            sizes += [size] if kind == 23 else []
            at += 5 + size
        return sizes


@asynccontextmanager
async def tapped(host: str, port: int) -> AsyncIterator[Tap]:
    """A port that leads to a server, and notes what that says."""
    tap = Tap()
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if note is not None:
                    note += data
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, port)
        for work in (carry(reader, there[1], None), carry(there[0], writer, tap.said)):
            tasks.add(asyncio.ensure_future(work))

    server = await asyncio.start_server(accept, host)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        if tasks:
            await asyncio.wait(tasks)


def encrypted() -> ssl.SSLContext:
    """A server's context for `NAME`."""
    return server_context(IDENTITY)
