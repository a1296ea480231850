"""The demo's servers on this computer: a page over HTTP, and a DNS server that knows one name."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import struct
import threading
from collections.abc import AsyncIterator, Mapping
from typing import cast

#: The name that the demo's DNS server knows.
NAME = "page.demo.test"


@contextlib.asynccontextmanager
async def page_server(page: bytes, host: str) -> AsyncIterator[int]:
    """Python's own HTTP server, on a thread, with one page at `/page`; gives its TCP port.

    Args:
        page: the body.
        host: address of this computer to listen on.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/page":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *values: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            await asyncio.to_thread(server.shutdown)
            thread.join()


@contextlib.asynccontextmanager
async def name_server(names: Mapping[str, str]) -> AsyncIterator[str]:
    """A DNS server on loopback that knows some A records; gives its "address:port".

    Args:
        names: name → IPv4 address.
    """

    class Answers(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            # asyncio's own datagram transport is, in 3.11, no subclass of the class that describes it.
            self._transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            answer = answer_to(data, names)
            if answer is not None:
                self._transport.sendto(answer, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()


def answer_to(query: bytes, names: Mapping[str, str]) -> bytes | None:
    """The answer to a DNS query for one A record (RFC 1035), or None to what is no such query."""
    try:
        number, _, questions = struct.unpack_from(">HHH", query)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii"))
            at += 1 + query[at]
        question = query[12 : at + 5]
        kind = struct.unpack_from(">H", query, at + 1)[0]
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if questions != 1:
        return None
    address = names.get(".".join(labels).lower()) if kind == 1 else None
    if address is None:
        return struct.pack(">HHHHHH", number, 0x8183, 1, 0, 0, 0) + question
    # One answer: the name of the question by reference, A, IN, a minute to live.
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
    return struct.pack(">HHHHHH", number, 0x8180, 1, 1, 0, 0) + question + record
