"""Answer each request with a list of pieces, each sent when the one before was acknowledged. In Lua, on the board:

    srv = net.createServer(net.TCP)

    function receiver(sck, data)
      local response = {}
      response[#response + 1] = "lots of data"
      response[#response + 1] = "even more data"
      response[#response + 1] = "e.g. content read from a file"

      -- sends and removes the first element from the 'response' table
      local function send(localSocket)
        if #response > 0 then
          localSocket:send(table.remove(response, 1))
        else
          localSocket:close()
          response = nil
        end
      end

      -- triggers the send() function again once the first chunk of data was sent
      sck:on("sent", send)

      send(sck)
    end

    srv:listen(80, function(conn)
      conn:on("receive", receiver)
    end)

python examples/net_socket_send_table.py [--port URL] [--tcp-port N] [--clients N]
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
        response = ["lots of data", "even more data", "e.g. content read from a file"]

        async def send(local_socket: TCPSocket) -> None:
            if response:
                await local_socket.send(response.pop(0))
            else:
                local_socket.on("sent", None)  # one piece may be acknowledged in two parts
                await local_socket.close()
                served.release()

        sck.on("sent", send)  # calls `send` again each time that something was acknowledged
        await send(sck)

    async with bridge.open_board(options.port) as board:
        srv = await board.net.createServer()
        await srv.listen(options.tcp_port, lambda conn: conn.on("receive", receiver))
        info = await board.net.ifinfo()
        print(f"{info['ip']}:{options.tcp_port}" if info else "The board has joined no network.", flush=True)
        for _ in range(options.clients):
            await served.acquire()
        if not options.clients:
            await asyncio.Event().wait()


asyncio.run(main())
