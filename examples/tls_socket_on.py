"""Ask a web server for its page over TLS, and print each piece as it comes.

What `tls.createConnection()` and `tls.socket:on()` show in NodeMCU's documentation, in Python. The firmware must have
the module `tls`; it speaks TLS 1.2, sends no server name, and believes every certificate (see tls_cert_verify.py).

python examples/tls_socket_on.py [--port URL] [--host NAME] [--tcp-port N] [--path PATH]
"""

from __future__ import annotations

import argparse
import asyncio

import bridge
from bridge.mirror.tls import TLSSocket


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--host", default="google.com", help="the web server, a name or an address")
    parser.add_argument("--tcp-port", type=int, default=443, help="where it listens")
    parser.add_argument("--path", default="/", help="of the page")
    options = parser.parse_args()
    over = asyncio.Event()

    async def ask(sck: TLSSocket) -> None:
        print("from", *await sck.getpeer())
        await sck.send(f"GET {options.path} HTTP/1.0\r\nHost: {options.host}\r\nAccept: */*\r\n\r\n")

    def ended(sck: TLSSocket) -> None:
        print("the end")
        over.set()

    def failed(sck: TLSSocket, why: str | None) -> None:
        print("the connection failed:", why)
        over.set()

    async with bridge.open_board(options.port) as board:
        srv = await board.tls.createConnection()
        srv.on("receive", lambda sck, c: print(c.decode(errors="replace"), end=""))
        srv.on("connection", ask)  # wait for the handshake before sending
        srv.on("disconnection", ended)
        srv.on("reconnection", failed)
        await srv.connect(options.tcp_port, options.host)
        await over.wait()


asyncio.run(main())
