"""Fetch a page with curl, by the network of a board.

python examples/proxy.py [--port URL] http://HOST[:PORT]/PATH

The proxy lives in this program; `nodemcu-bridge proxy` is the same as a command.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import bridge
from bridge.proxy import Proxy


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("url")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board, Proxy(board, tcp_port=0) as proxy:
        host, port = proxy.address
        curl = await asyncio.create_subprocess_exec("curl", "-sS", "-x", f"socks5h://{host}:{port}", options.url)
        return await curl.wait()


sys.exit(asyncio.run(main()))
