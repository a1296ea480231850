"""Greet every client with "hello world", print what it says, and close. In Lua, on the board:

    sv = net.createServer(net.TCP, 30)

    function receiver(sck, data)
      print(data)
      sck:close()
    end

    if sv then
      sv:listen(80, function(conn)
        conn:on("receive", receiver)
        conn:send("hello world")
      end)
    end

python examples/net_server_listen.py [--port URL] [--tcp-port N] [--clients N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.tcp import TCPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--tcp-port", type=int, default=80, help="where the board listens")
    parser.add_argument("--clients", type=int, default=0, help="end after so many clients (0: never)")
    options = parser.parse_args()
    served = asyncio.Semaphore(0)

    async def receiver(sck: TCPSocket, data: bytes) -> None:
        print(data.decode(errors="replace"), flush=True)
        await sck.close()
        served.release()

    async def greet(conn: TCPSocket) -> None:
        conn.on("receive", receiver)
        await conn.send("hello world")

    async with bridge.open_board(options.port) as board:
        sv = await board.net.createServer(30)
        await sv.listen(options.tcp_port, greet)
        info = await board.net.ifinfo()
        print(f"{info['ip']}:{options.tcp_port}" if info else "The board has joined no network.", flush=True)
        for _ in range(options.clients):
            await served.acquire()
        if not options.clients:
            await asyncio.Event().wait()


asyncio.run(main())
