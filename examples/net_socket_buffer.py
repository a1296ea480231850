"""Put together what arrives in pieces: each "receive" brings one network frame. In Lua, on the board:

    local buffer = nil

    srv:on("receive", function(sck, c)
      if buffer == nil then
        buffer = c
      else
        buffer = buffer .. c
      end
    end)
    -- throttling could be implemented using socket:hold()

python examples/net_socket_buffer.py [--port URL] [--host NAME] [--tcp-port N] [--path PATH]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.tcp import TCPSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--host", default="httpbin.org", help="the web server, a name or an address")
    parser.add_argument("--tcp-port", type=int, default=80, help="where it listens")
    parser.add_argument("--path", default="/bytes/5000", help="of the page")
    options = parser.parse_args()
    buffer = bytearray()
    frames = 0
    over = asyncio.Event()

    async def collect(sck: TCPSocket, c: bytes) -> None:
        nonlocal frames
        frames += 1
        buffer.extend(c)
        await sck.hold()  # throttling: nothing comes while this piece is worked on, beyond what is on its way
        await asyncio.sleep(0)
        await sck.unhold()

    def ended(sck: TCPSocket, code: int) -> None:
        print(f"{len(buffer)} bytes in {frames} frames" if code == 0 else f"the connection failed: {code}")
        over.set()

    async with bridge.open_board(options.port) as board:
        srv = await board.net.createConnection()
        srv.on("connection", lambda sck: sck.send(f"GET {options.path} HTTP/1.0\r\nHost: {options.host}\r\n\r\n"))
        srv.on("receive", collect)
        srv.on("disconnection", ended)
        await srv.connect(options.tcp_port, options.host)
        await over.wait()


asyncio.run(main())
