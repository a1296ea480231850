"""Send large data piece by piece, each made only when the one before was acknowledged. In Lua, on the board:

    sck:send(header, function()
      local data1 = "some large chunk of dynamically loaded data"
      sck:send(data1, function()
        local data2 = "even more dynamically loaded data"
        sck:send(data2, function(sk)
          sk:close()
        end)
      end)
    end)

python examples/net_socket_send_callbacks.py [--port URL] --host NAME [--tcp-port N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.tcp import TCPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--host", required=True, help="who gets the data, for instance `nc -l 5000` on this machine")
    parser.add_argument("--tcp-port", type=int, default=5000, help="where it listens")
    options = parser.parse_args()
    over = asyncio.Event()

    async def send_all(sck: TCPSocket) -> None:
        async def then_data1(sk: TCPSocket) -> None:
            data1 = "some large chunk of dynamically loaded data\n"
            await sck.send(data1, then_data2)

        async def then_data2(sk: TCPSocket) -> None:
            data2 = "even more dynamically loaded data\n"
            await sck.send(data2, then_close)

        async def then_close(sk: TCPSocket) -> None:
            sk.on("sent", None)  # one piece may be acknowledged in two parts
            await sk.close()
            over.set()

        await sck.send("header\n", then_data1)

    def failed(sck: TCPSocket, code: int) -> None:
        print(f"the connection failed: {code}")
        over.set()

    async with bridge.open_board(options.port) as board:
        sck = await board.net.createConnection()
        sck.on("connection", send_all)
        sck.on("disconnection", failed)
        await sck.connect(options.tcp_port, options.host)
        await over.wait()


asyncio.run(main())
