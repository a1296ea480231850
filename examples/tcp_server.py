"""Serve a web page from the board: its own TCP server, its own address.

python examples/tcp_server.py [--port URL] [--requests N]

Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

import bridge
from bridge.mirror.tcp import TCPSocket

PAGE = b"<h1>Hello from the board</h1>"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--requests", type=int, default=0, help="end after so many requests (0: never)")
    options = parser.parse_args()
    served = asyncio.Semaphore(0)

    async with bridge.open_board(options.port) as board:

        async def answer(socket: TCPSocket, request: bytes) -> None:
            heap = await board.lua.node.heap()
            body = PAGE + b"<p>%d bytes of heap are free.</p>" % heap
            await socket.send(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            served.release()
            with contextlib.suppress(bridge.LuaError):  # "not connected": the client has closed before us
                await socket.close()

        server = await board.net.createServer(30)
        await server.listen(8080, lambda socket: socket.on("receive", answer))
        info = await board.net.ifinfo()
        print(f"http://{info['ip']}:8080/" if info else "The board has joined no network.", flush=True)
        for _ in range(options.requests):
            await served.acquire()
        if not options.requests:
            await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main())
