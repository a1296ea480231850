"""Show an MQTT broker the board's own certificate, and check the broker's.

What `tls.cert.auth()` shows in NodeMCU's documentation, in Python, with a socket of `tls` in the place of the module
`mqtt`. With --certificate and --key the board writes both to its flash; without, it shows what an earlier run has
written. The same holds for --ca, of which `tls.cert.verify` takes care.

python examples/tls_cert_auth.py [--port URL] [--certificate FILE --key FILE] [--ca FILE] --host NAME [--tcp-port N]
"""

from __future__ import annotations

import argparse
import asyncio
import struct
from pathlib import Path

import bridge


def connect_packet(client: str, keepalive: int, user: str, password: str) -> bytes:
    """MQTT 3.1.1 CONNECT with a clean session; keepalive in seconds."""
    texts = (text.encode() for text in (client, user, password))
    body = b"\x00\x04MQTT\x04\xc2" + struct.pack(">H", keepalive)
    body += b"".join(struct.pack(">H", len(text)) + text for text in texts)
    return bytes([0x10, len(body)]) + body


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", default="virtual:", help="the board's port")
    parser.add_argument("--certificate", type=Path, help="the board's certificate (PEM)")
    parser.add_argument("--key", type=Path, help="its private key (PEM, of the kind RSA PRIVATE KEY)")
    parser.add_argument("--ca", type=Path, help="certificate (PEM) of who issued the broker's")
    parser.add_argument("--host", required=True, help="the broker, a name or an address")
    parser.add_argument("--tcp-port", type=int, default=8883, help="where it listens")
    options = parser.parse_args()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(text: str) -> None:
        if not over.done():
            over.set_result(text)

    async with bridge.open_board(options.port) as board:
        cert = board.tls.cert
        if options.certificate is not None and options.key is not None:
            await cert.auth(options.certificate.read_text(), options.key.read_text())
        if options.ca is not None:
            await cert.verify(options.ca.read_text())
        await board.reset()  # what is in the flash stays; what took heap to write it goes, and TLS needs that

        await cert.auth(True)
        await cert.verify(True)

        m = await board.tls.createConnection()
        m.on("connection", lambda sck: sck.send(connect_packet("basicPubSub", 1500, "admin", "admin")))
        m.on("receive", lambda sck, data: tell(f"the broker says {data[3]}" if data[:1] == b"\x20" else "no MQTT"))
        m.on("disconnection", lambda sck: tell("the broker has closed the connection"))
        m.on("reconnection", lambda sck, why: tell(f"the connection failed: {why}"))
        await m.connect(options.tcp_port, options.host)
        print(await over)


asyncio.run(main())
