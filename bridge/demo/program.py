"""The whole idea in one command: flash a board, put the agent on it, and use its network from Python.

`python -m bridge.demo` does it on an embedded virtual board, with servers on this computer's loopback;
`--port URL` on a real one. `scripts/demo` makes the environment and runs this.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bridge.board import Board
from bridge.demo.servers import NAME, name_server, page_server
from bridge.demo.steps import Step, Steps
from bridge.errors import BridgeError, ConnectionLost, DNSFailed, LinkTimeout, NetError, UsageError
from bridge.flash import FlashProgress, flash_image
from bridge.image import ImagePart, check_image, load_image
from bridge.inspect import inspect_board
from bridge.mirror.tcp import TCPSocket
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.ports.open import open_port

#: Modules of the image that the demo makes: what it uses, and little more.
MODULES = "bit,file,gpio,net,node,ow,tmr,uart,wifi"
#: TCP port of the server on the board.
SERVER_PORT = 8080
#: Speed for flashing the virtual board, in baud; real boards get what most adapters do.
VIRTUAL_FLASH_BAUD = 921_600
#: Seconds for the freshly flashed board to boot.
BOOT_TIMEOUT = 60.0


@dataclass
class Result:
    """What the last lines say."""

    page_hash: str = ""
    received_hash: str = ""
    page_bytes: int = 0
    seconds: float = 0.0
    moved: int = 0
    answer: str = ""


class CountingPort:
    """A port that counts what goes over the line, both ways."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.moved = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        self.moved += len(data)
        self._port.write(data)

    def set_receiver(self, receiver: object, lost: object = None) -> None:
        """See `Port.set_receiver`."""

        def counted(data: bytes) -> None:
            self.moved += len(data)
            receiver(data)  # type: ignore[operator]

        self._port.set_receiver(counted if receiver is not None else None, lost)  # type: ignore[arg-type]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Returns:
        0 done, 1 the board or the network failed, 2 wrong use, 130 interrupted.
    """
    parser = argparse.ArgumentParser(prog="demo", description="Flash a board, and use its network from Python.")
    parser.add_argument("--port", metavar="URL", help="a real board's port; default: an embedded virtual board")
    parser.add_argument("--image", type=Path, help="with --port: flash this image first; default: keep its firmware")
    parser.add_argument("--name", default="example.com", help="with --port: a name for the board to resolve")
    parser.add_argument("--size", type=int, default=100_000, help="bytes of the page (default: 100000)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        if options.size < 1:
            raise UsageError(f"--size {options.size} is no page", remedy="Use 1 or more.")
        result = asyncio.run(_run(options, Steps(console)))
    except BridgeError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"demo: {error}", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        Console(stderr=True).print("demo: interrupted")
        return 130
    equal = result.page_hash == result.received_hash
    rate = result.page_bytes / result.seconds / 1000
    for line in (
        "",
        f"page hash {'equal' if equal else 'DIFFERENT'}: sha256 {result.received_hash[:16]}…, "
        f"{result.page_bytes} bytes in {result.seconds:.1f} s ({rate:.1f} kB/s)",
        f"bytes moved over the serial line: {result.moved}",
        f"the board's TCP server answered: {result.answer}",
    ):
        console.print(line, markup=False, soft_wrap=True)
    return 0 if equal else 1


async def _run(options: argparse.Namespace, steps: Steps) -> Result:
    async with contextlib.AsyncExitStack() as stack:
        if options.port is None:
            port, name = await stack.enter_async_context(_virtual_board(steps)), NAME
        else:
            steps.note(
                f"Using the board on {options.port}. It must run NodeMCU with the module net and be in a Wi-Fi from "
                "which this computer can be reached."
            )
            port, name = await stack.enter_async_context(_real_board(steps, options)), options.name
        counting = CountingPort(port)
        async with steps.step("Probe") as step:
            facts = await inspect_board(counting)  # type: ignore[arg-type]
            step.note(f"NodeMCU {facts['version'] or ''}, {facts['lua'] or 'Lua'}, {facts['heap']} bytes of heap")
        async with steps.step("Bootstrap") as step:
            board = await stack.enter_async_context(open_board(counting))  # type: ignore[arg-type]
            step.note(f"agent {board.facts.digest} runs, {board.facts.heap_after} bytes of heap left")
        result = Result()
        await _use(board, steps, result, name, options)
        result.moved = counting.moved
        return result


@contextlib.asynccontextmanager
async def _virtual_board(steps: Steps) -> AsyncIterator[Port]:
    from bridge.virtual.board import VirtualBoard
    from bridge.virtual.chip.make_image import stock_image
    from bridge.virtual.options import VirtualOptions
    from bridge.virtual.port import VirtualPort
    from bridge.virtual.rfc2217 import serve_rfc2217

    async with name_server({NAME: "127.0.0.1"}) as dns:
        async with steps.step("Make an image") as step:
            data = await stock_image(VirtualOptions(modules=MODULES))
            parts = [ImagePart(0, data, "the demo's image")]
            step.note(f"{len(data)} bytes with {', '.join(check_image(parts).modules)}")
        async with VirtualBoard(VirtualOptions(dns=dns)) as virtual:
            async with steps.step("Flash with esptool") as step:
                server = await serve_rfc2217(virtual)
                await _flash(step, server.url, parts, VIRTUAL_FLASH_BAUD)
                await server.close()
            async with steps.step("Boot") as step:
                if not await virtual.answered(BOOT_TIMEOUT):
                    raise LinkTimeout("The virtual board does not boot")
                step.note("the prompt is there")
            virtual.set_host_baud(115_200)
            port = VirtualPort(virtual)
            try:
                yield port
            finally:
                await port.close()


@contextlib.asynccontextmanager
async def _real_board(steps: Steps, options: argparse.Namespace) -> AsyncIterator[Port]:
    if options.image is not None:
        parts = load_image(options.image)
        async with steps.step("Flash with esptool") as step:
            await _flash(step, options.port, parts, 460_800)
    port = await open_port(options.port)
    try:
        yield port
    finally:
        await port.close()


async def _flash(step: Step, url: str, parts: Sequence[ImagePart], baud: int) -> None:
    def progress(state: FlashProgress) -> None:
        step.progress(state.fraction, state.stage)

    report = await flash_image(url, parts, baud=baud, progress=progress)
    step.note(f"{report.size} bytes to {report.chip} {report.mac}, verified")


async def _use(board: Board, steps: Steps, result: Result, name: str, options: argparse.Namespace) -> None:
    async with steps.step("Mirror a socket") as step:
        info = await board.net.ifinfo()
        address = info.get("ip") if info else None
        if not address or address == "0.0.0.0":
            raise NetError(
                "The board has no network address",
                port=board.url,
                remedy='Join a Wi-Fi first: nodemcu-bridge exec \'wifi.setmode(1) wifi.sta.config{ssid="…",pwd="…"}\'.',
            )
        client = await board.net.createConnection()
        step.note(f"{client!r} on the board at {address}")
    host = own_address(address)
    async with steps.step("Resolve a name") as step:
        found = await board.net.dns.resolve(name)
        if found is None:
            raise DNSFailed(
                f"The board's DNS server does not know {name}", port=board.url, remedy="Try another --name."
            )
        step.note(f"{name} is {found}")
    page = page_of(options.size)
    result.page_bytes, result.page_hash = len(page), hashlib.sha256(page).hexdigest()
    async with page_server(page, host) as tcp_port:
        async with steps.step("Fetch a page") as step:
            began = time.monotonic()
            target = name if options.port is None else host
            received = await fetch(client, target, tcp_port, len(page), step)
            result.seconds = time.monotonic() - began
            result.received_hash = hashlib.sha256(received).hexdigest()
            step.note(f"{len(received)} bytes from http://{target}:{tcp_port}/page")
    async with steps.step("Serve on the board") as step:
        result.answer = await ask_board(board, address)
        step.note(f"{address}:{SERVER_PORT} answered {result.answer!r}")


async def fetch(client: TCPSocket, host: str, tcp_port: int, size: int, step: Step) -> bytes:
    """Fetch /page over the board's stack, with what the stock API gives; returns the page without its header."""
    over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()
    data = bytearray()

    def receive(client: TCPSocket, chunk: bytes) -> None:
        data.extend(chunk)
        step.progress(min(len(data) / size, 1.0), f"{len(data)} bytes")

    def ended(client: TCPSocket, code: int) -> None:
        if not over.done():
            over.set_result(code)
        begun.set()

    client.on("connection", lambda client: begun.set())
    client.on("receive", receive)
    client.on("disconnection", ended)
    await client.connect(tcp_port, host)
    await begun.wait()
    if not over.done():
        await client.send(f"GET /page HTTP/1.0\r\nHost: {host}\r\n\r\n")
    code = await over
    if code != 0:
        raise ConnectionLost(
            f"The board could not fetch the page from {host}:{tcp_port} (code {code})",
            code=code,
            remedy="See whether a firewall keeps the board from reaching this computer.",
        )
    return bytes(data).partition(b"\r\n\r\n")[2]


async def ask_board(board: Board, address: str) -> str:
    """Serve on the board, connect to it from this computer, and return its answer."""
    server = await board.net.createServer(30)

    async def client(connection: TCPSocket) -> None:
        async def receive(connection: TCPSocket, data: bytes) -> None:
            heap = await board.lua.node.heap()
            await connection.send(b"you said " + data.strip() + b", my free heap is %d bytes\n" % heap)

        connection.on("receive", receive)

    await server.listen(SERVER_PORT, client)
    reader, writer = await asyncio.open_connection(address, SERVER_PORT)
    writer.write(b"hello\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    await server.close()
    return answer.decode().strip()


def own_address(peer: str) -> str:
    """The address of this computer in the network of `peer`, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((peer, 9))
        return str(probe.getsockname()[0]) if not peer.startswith("127.") else "127.0.0.1"


def page_of(size: int) -> bytes:
    """A page of that many bytes that no two stretches of are alike."""
    blocks = (hashlib.sha256(b"demo %d" % number).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]
