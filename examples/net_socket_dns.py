"""Look a name up with a socket of the board. In Lua, on the board:

    sk = net.createConnection(net.TCP, 0)
    sk:dns("www.nodemcu.com", function(conn, ip) print(ip) end)
    sk = nil

python examples/net_socket_dns.py [--port URL] [NAME]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.tcp import TCPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("name", nargs="?", default="www.nodemcu.com")
    options = parser.parse_args()
    answered = asyncio.Event()

    def found(conn: TCPSocket, ip: str | None) -> None:
        print(ip)
        answered.set()

    async with bridge.open_board(options.port) as board:
        sk = await board.net.createConnection(board.net.TCP, 0)
        await sk.dns(options.name, found)
        await answered.wait()  # 7.8 s for each DNS server that does not know the name


asyncio.run(main())
