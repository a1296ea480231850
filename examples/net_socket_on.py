"""Ask a web server for a page and print each piece as it comes. In Lua, on the board:

    srv = net.createConnection(net.TCP, 0)
    srv:on("receive", function(sck, c) print(c) end)
    -- Wait for connection before sending.
    srv:on("connection", function(sck, c)
      sck:send("GET /get HTTP/1.1\\r\\nHost: httpbin.org\\r\\nConnection: close\\r\\nAccept: */*\\r\\n\\r\\n")
    end)
    srv:connect(80, "httpbin.org")

python examples/net_socket_on.py [--port URL] [--host NAME] [--tcp-port N]
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
    options = parser.parse_args()
    over = asyncio.Event()

    async def ask(sck: TCPSocket) -> None:
        # "Connection: close": the server ends the connection after its answer, which frees the board's memory earlier.
        await sck.send(f"GET /get HTTP/1.1\r\nHost: {options.host}\r\nConnection: close\r\nAccept: */*\r\n\r\n")

    def ended(sck: TCPSocket, code: int) -> None:
        print("the end" if code == 0 else f"the connection failed: {code}")
        over.set()

    async with bridge.open_board(options.port) as board:
        srv = await board.net.createConnection(board.net.TCP, 0)
        srv.on("receive", lambda sck, c: print(c.decode(errors="replace")))
        srv.on("connection", ask)  # wait for the connection before sending
        srv.on("disconnection", ended)
        await srv.connect(options.tcp_port, options.host)
        await over.wait()


asyncio.run(main())
