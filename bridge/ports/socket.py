"""`socket://host:port`: a serial port that something else (ser2net, a terminal server) serves as plain TCP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from bridge.errors import PortError, PortLost, PortNotFound, UsageError
from bridge.ports.base import LossHandler, Receiver
from bridge.ports.draining import drained
from bridge.ports.inbox import Inbox

#: Seconds until a host that does not answer counts as absent.
CONNECT_TIMEOUT = 5.0
#: Seconds that closing waits for bytes that the peer does not take, before it drops them.
CLOSE_TIMEOUT = 2.0


def split_url(url: str) -> tuple[str, int, dict[str, str]]:
    """Host, TCP port and query of `scheme://host:port?option`.

    Raises:
        UsageError: host or TCP port is missing or wrong.
    """
    try:
        parts = urlsplit(url)
        host, tcp_port = parts.hostname, parts.port
    except ValueError:
        host = tcp_port = None
    if not host or not tcp_port or "\0" in url:
        remedy = f"Write {url.partition(':')[0]}://host:port."
        named = url if url.isprintable() else repr(url)
        raise UsageError(f"{named} does not name a host and a TCP port", port=named, remedy=remedy)
    return host, tcp_port, dict(parse_qsl(parts.query, keep_blank_values=True))


class SocketPort(asyncio.Protocol):
    """A `Port` over a TCP connection; made by `open_socket`. It has no baud of its own and no modem lines."""

    def __init__(self, url: str, baud: int) -> None:
        self._url = url
        self._baud = baud
        self._inbox = Inbox()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._to_tell: list[Callable[[], None]] = []
        self._closing = False
        self._transport: asyncio.Transport | None = None

    @property
    def url(self) -> str:
        return self._url

    @property
    def baud(self) -> int:
        return self._baud

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        self._inbox.set_receiver(receiver, lost)

    def write(self, data: bytes) -> None:
        self._send(data)

    async def drain(self) -> None:
        self._check()
        await drained(self._url, self._unsent, self._left)
        self._check()

    def _unsent(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def _left(self) -> None:
        await self._writable.wait()
        self._check()

    async def set_baud(self, baud: int) -> None:
        if baud != self._baud:
            raise PortError(
                f"{self._url} cannot change its speed",
                port=self._url,
                remedy="Use an rfc2217:// port, or let the server set the speed.",
            )

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        raise PortError(
            f"{self._url} has no DTR and RTS lines",
            port=self._url,
            remedy="Reset the board by its button, or use an rfc2217:// port.",
        )

    async def close(self) -> None:
        if not self._closing:
            self._closing = True
            if self._transport is not None and self._inbox.loss is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT):
                        await self._writable.wait()
                self._transport.close()
                if not self._writable.is_set():
                    self._transport.abort()
        if self._transport is not None:
            await self._gone.wait()

    def when_gone(self, told: Callable[[], None]) -> None:
        """Have somebody told when the port has been closed or lost."""
        if self._gone.is_set():
            told()
        else:
            self._to_tell.append(told)

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # `drain` means "left this host": any byte still queued counts.
        transport.set_write_buffer_limits(high=0)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._inbox.feed(data)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing:
            error = PortLost(
                f"{self._url} closed the connection",
                port=self._url,
                remedy="See whether the server still runs and whether another client took the port.",
            )
            error.__cause__ = exc
            self._inbox.lose(error)
        self._writable.set()
        self._gone.set()
        for told in self._to_tell:
            told()
        self._to_tell.clear()

    def _send(self, data: bytes) -> None:
        self._check()
        if data and self._transport is not None:
            self._transport.write(data)

    def _check(self) -> None:
        self._inbox.check()
        if self._closing:
            raise PortLost(f"{self._url} has been closed", port=self._url)


async def connect(port: SocketPort, host: str, tcp_port: int) -> None:
    """Connect a port to its server.

    Raises:
        PortNotFound: nobody answers there.
    """
    remedy = "See whether the server runs there and whether host and TCP port are right."
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await asyncio.get_running_loop().create_connection(lambda: port, host, tcp_port)
    except TimeoutError as error:
        raise PortNotFound(f"{port.url} does not answer", port=port.url, remedy=remedy) from error
    except socket.gaierror as error:
        raise PortNotFound(f"{port.url}: there is no host {host}", port=port.url, remedy=remedy) from error
    except OSError as error:
        raise PortNotFound(f"Nobody listens at {port.url}", port=port.url, remedy=remedy) from error


async def open_socket(url: str, *, baud: int) -> SocketPort:
    """Open `socket://host:port`.

    Args:
        url: the URL.
        baud: speed that the server has set on its port, in baud; this side cannot change it.

    Raises:
        PortNotFound: nobody answers there.
        UsageError: the URL lacks host or TCP port.
    """
    host, tcp_port, _ = split_url(url)
    port = SocketPort(url, baud)
    await connect(port, host, tcp_port)
    return port
