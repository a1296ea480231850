"""A web application on the board's address: aiohttp answers on the host what arrives at the board, and asks the board.

python examples/web_server.py [--port URL] [--tcp-port N]

Then open the address that it prints. Ctrl-C ends it. Needs aiohttp: pip install -e ".[aiohttp]"
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from aiohttp import web

import bridge
from bridge.integrations.aiohttp import serve

PAGE = """<!doctype html><title>A board</title>
<h1>Hello from the board</h1>
<p>{heap} bytes of its heap are free. <a href="/pins/4">The LED's pin</a>
"""


def application(board: bridge.Board) -> web.Application:
    """Pages about a board."""

    async def front(request: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(heap=await board.node.heap()), content_type="text/html")

    async def pin(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        await board.gpio.mode(number, board.gpio.INPUT)
        return web.json_response({"pin": number, "level": await board.gpio.read(number)})

    made = web.Application()
    made.add_routes([web.get("/", front), web.get(r"/pins/{number:\d+}", pin)])
    return made


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--tcp-port", type=int, default=80, help="TCP port of the board")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        info = await board.net.ifinfo()
        if not info:
            raise SystemExit("The board has joined no network.")
        await serve(
            board,
            application(board),
            options.tcp_port,
            started=lambda server: print(f"http://{info['ip']}:{options.tcp_port}/", flush=True),
        )


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main())
