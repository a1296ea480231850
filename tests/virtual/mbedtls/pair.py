"""A client of the board's TLS and a server, joined by two queues of bytes."""

from __future__ import annotations

import ssl
from typing import Any

from bridge.virtual.mbedtls.client import Client, Config
from bridge.virtual.mbedtls.fault import Code, TlsFault


class Ends:
    """What is on its way in either direction; the client's transport, and its chip.

    Args:
        heap: bytes that a handshake may take.
    """

    def __init__(self, heap: int = 100_000) -> None:
        self.to_client = bytearray()
        self.to_server = bytearray()
        #: All bytes that the client sent.
        self.sent = bytearray()
        self.heap = heap
        self.seconds = 0.0

    def receive(self, length: int) -> bytes:
        data = bytes(self.to_client[:length])
        del self.to_client[:length]
        return data

    def send(self, data: bytes) -> None:
        self.to_server += data
        self.sent += data

    def take(self, size: int) -> None:
        self.heap -= size
        if self.heap < 0:
            raise TlsFault(Code.SSL_ALLOC_FAILED)

    def peak(self, size: int) -> None:
        if size > self.heap:
            raise TlsFault(Code.SSL_ALLOC_FAILED)

    def compute(self, microseconds: float) -> None:
        self.seconds += microseconds / 2e6


class OpenSsl:
    """OpenSSL as the server."""

    def __init__(self, ends: Ends, context: ssl.SSLContext) -> None:
        self._ends = ends
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_side=True)

    def step(self) -> None:
        """Take what the client sent, and answer."""
        self._in.write(bytes(self._ends.to_server))
        self._ends.to_server.clear()
        try:
            self.object.do_handshake()
        except ssl.SSLError:
            pass
        self.flush()

    def flush(self) -> None:
        """Send what has been written."""
        self._ends.to_client += self._out.read()


def joined(context: ssl.SSLContext, config: Config | None = None, heap: int = 100_000) -> tuple[Client, OpenSsl, Ends]:
    """A client and a server before their handshake."""
    ends = Ends(heap)
    return Client(ends, config or Config(), ends), OpenSsl(ends, context), ends


def shake_hands(client: Client, server: Any) -> None:
    """Run the handshake. Raises TlsFault."""
    for _ in range(10):
        if client.handshake():
            return
        server.step()
    raise AssertionError("the handshake does not end")
