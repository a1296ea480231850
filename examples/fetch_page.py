"""Fetch a web page with the board's own network stack.

python examples/fetch_page.py [--port URL] http://HOST[:PORT]/PATH
"""

from __future__ import annotations

import argparse
import asyncio
from urllib.parse import urlsplit

import bridge


async def fetch(board: bridge.Board, url: str) -> bytes:
    """The whole answer, head and body."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise SystemExit(f"{url} is no address of a page: write http://HOST/PATH")
    wanted = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    answer = bytearray()
    connected, ended = asyncio.Event(), asyncio.Event()
    socket = await board.net.createConnection()
    socket.on("connection", lambda _: connected.set())
    socket.on("receive", lambda _, data: answer.extend(data))
    # Without a handler for "reconnection", errors arrive here as well, with a code below zero.
    socket.on("disconnection", lambda _, code: ended.set())
    await socket.connect(parts.port or 80, parts.hostname)
    await asyncio.wait([asyncio.ensure_future(e.wait()) for e in (connected, ended)], return_when="FIRST_COMPLETED")
    if not connected.is_set():
        raise SystemExit(f"{url}: nobody answers there")
    await socket.send(f"GET {wanted} HTTP/1.0\r\nHost: {parts.hostname}\r\n\r\n")
    await ended.wait()
    return bytes(answer)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("url")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        head, _, body = (await fetch(board, options.url)).partition(b"\r\n\r\n")
    print(head.decode("latin-1").splitlines()[0])
    print(f"{len(body)} bytes")


asyncio.run(main())
