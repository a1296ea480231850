"""Send every datagram that the board receives back to where it came from.

python examples/udp_echo.py [--port URL] [--datagrams N]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.udp import UDPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--datagrams", type=int, default=0, help="end after so many (0: never)")
    options = parser.parse_args()
    echoed = asyncio.Semaphore(0)

    async def echo(socket: UDPSocket, data: bytes, port: int, ip: str) -> None:
        await socket.send(port, ip, data)
        echoed.release()

    async with bridge.open_board(options.port) as board:
        socket = await board.net.createUDPSocket()
        socket.on("receive", echo)
        await socket.listen(5000)
        info = await board.net.ifinfo()
        print(f"{info['ip']}:5000" if info else "The board has joined no network.", flush=True)
        for _ in range(options.datagrams):
            await echoed.acquire()
        if not options.datagrams:
            await asyncio.Event().wait()


asyncio.run(main())
