"""Answer every datagram that the board receives. In Lua, on the board:

    udpSocket = net.createUDPSocket()
    udpSocket:listen(5000)
    udpSocket:on("receive", function(s, data, port, ip)
        print(string.format("received '%s' from %s:%d", data, ip, port))
        s:send(port, ip, "echo: " .. data)
    end)
    port, ip = udpSocket:getaddr()
    print(string.format("local UDP socket address / port: %s:%d", ip, port))

python examples/net_udp_echo.py [--port URL] [--udp-port N] [--datagrams N]

Try it with:  echo -n "foo" | nc -w1 -u ADDRESS-OF-THE-BOARD 5000
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.udp import UDPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--udp-port", type=int, default=5000, help="where the board listens")
    parser.add_argument("--datagrams", type=int, default=0, help="end after so many (0: never)")
    options = parser.parse_args()
    echoed = asyncio.Semaphore(0)

    async def echo(s: UDPSocket, data: bytes, port: int, ip: str) -> None:
        print(f"received '{data.decode(errors='replace')}' from {ip}:{port}", flush=True)
        await s.send(port, ip, b"echo: " + data)
        echoed.release()

    async with bridge.open_board(options.port) as board:
        udp_socket = await board.net.createUDPSocket()
        await udp_socket.listen(options.udp_port)
        udp_socket.on("receive", echo)
        port, ip = await udp_socket.getaddr()
        print(f"local UDP socket address / port: {ip}:{port}")
        info = await board.net.ifinfo()
        print(f"{info['ip']}:{port}" if info else "The board has joined no network.", flush=True)
        for _ in range(options.datagrams):
            await echoed.acquire()
        if not options.datagrams:
            await asyncio.Event().wait()


asyncio.run(main())
