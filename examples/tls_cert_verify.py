"""Connect only to a server whose certificate the board believes.

What `tls.cert.verify()` shows in NodeMCU's documentation, in Python, with a socket of `tls` in the place of the module
`http`. With --ca the board writes the CA certificate to its flash and checks against it; without, it checks against the
one that an earlier run has written. (The firmware compares neither the host's name nor dates.)

python examples/tls_cert_verify.py [--port URL] [--ca FILE.pem] [--host NAME] [--tcp-port N]
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import bridge


async def fetch(board: bridge.Board, host: str, tcp_port: int) -> bytes | None:
    """The answer to a request, or None if there was no connection."""
    answer = bytearray()
    over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    socket = await board.tls.createConnection()
    socket.on("connection", lambda sck: sck.send(f"GET /info HTTP/1.0\r\nHost: {host}\r\n\r\n"))
    socket.on("receive", lambda sck, data: answer.extend(data))
    socket.on("disconnection", lambda sck: over.set_result(True))
    socket.on("reconnection", lambda sck, why: over.set_result(False))
    await socket.connect(tcp_port, host)
    return bytes(answer) if await over else None


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--ca", type=Path, help="a CA certificate (PEM), which is written to the board's flash")
    parser.add_argument("--host", default="letsencrypt.org", help="the server, a name or an address")
    parser.add_argument("--tcp-port", type=int, default=443, help="where it listens")
    options = parser.parse_args()
    async with bridge.open_board(options.port) as board:
        if options.ca is not None:
            await board.tls.cert.verify(options.ca.read_text())
        else:
            await board.tls.cert.verify(True)
        answer = await fetch(board, options.host, options.tcp_port)
        if answer is None:
            print("not believed, or not there")
        else:
            print(answer.decode(errors="replace").partition("\r\n")[0])


asyncio.run(main())
