"""Make a TCP client and a TCP server on the board, and close the server. In Lua, on the board:

    net.createConnection(net.TCP, 0)

    net.createServer(net.TCP, 30) -- 30s timeout

    -- creates a server
    sv = net.createServer(net.TCP, 30)
    -- closes the server
    sv:close()

python examples/net_create.py [--port URL] [--tcp-port N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--tcp-port", type=int, default=8080, help="where the server listens before it is closed")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        net = board.net
        print("a client:", await net.createConnection(net.TCP, 0))

        sv = await net.createServer(net.TCP, 30)  # 30 s timeout; today's form, without a warning, is createServer(30)
        print("a server:", sv)

        # The board's `close` raises "not connected" for a server that does not listen: so let it listen first.
        await sv.listen(options.tcp_port, print)
        print("it listens on", await sv.getaddr())
        await sv.close()
        print("and now on", await sv.getaddr())


asyncio.run(main())
