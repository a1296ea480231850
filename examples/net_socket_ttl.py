"""Let what a socket sends not leave the subnet. In Lua, on the board:

    sk = net.createConnection(net.TCP, 0)
    sk:connect(80, '192.168.1.1')
    sk:ttl(1) -- restrict frames to single subnet

python examples/net_socket_ttl.py [--port URL] [--host ADDRESS] [--tcp-port N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--host", default="192.168.1.1", help="whom to connect to")
    parser.add_argument("--tcp-port", type=int, default=80, help="where it listens")
    options = parser.parse_args()
    over = asyncio.Event()

    def tell(text: str) -> None:
        print(text)
        over.set()

    async with bridge.open_board(options.port) as board:
        sk = await board.net.createConnection(board.net.TCP, 0)
        sk.on("connection", lambda sk: tell("connected"))
        sk.on("disconnection", lambda sk, code: tell(f"the connection failed: {code}"))
        await sk.connect(options.tcp_port, options.host)
        print("time to live:", await sk.ttl())
        print("from now on: ", await sk.ttl(1))
        await over.wait()


asyncio.run(main())
