"""The port of a leased board: served by the keeper, named after the place's own port in errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from bridge.errors import LeaseLost, PortBusy, PortError, PortLost
from bridge.ports.base import LossHandler, Port, Receiver
from bridge.ports.rfc2217 import Rfc2217Port
from bridge.ports.socket import SocketPort, connect

#: Seconds for a place's server to be done with what its client before this one sent (some 100 KB may wait in its system
#: when that one wrote without pause, at 11 KB a second), and between two tries.
_FREE_S, _TRY_S = 20.0, 0.05
#: Bytes of what a board prints that are kept while it is being opened: with what the prompt echoes of the agent.
_KEPT = 65_536
#: What is left out of that: a board that restarts, and one whose speed is looked for, make much of it. NUL ends a line:
#: what is left of a frame is not to stand before what is printed behind it.
_NOISE = bytes({*range(256)} - {*b"\t\n", *range(0x20, 0x7F)})


class LeasePort:
    """A `Port` of a lease; made by `open_lease_port`. After the lease is lost each call raises `LeaseLost`.

    Args:
        port: the port itself.
        check: raises `LeaseLost` when the lease is lost.
        hear_out: waits until what the keeper has said of that is known.
    """

    def __init__(self, port: SocketPort, check: Callable[[], None], hear_out: Callable[[], None]) -> None:
        self._port, self._check, self._hear_out = port, check, hear_out
        self._heard: bytearray | None = bytearray()

    def listen(self) -> None:
        """Keep what the board prints from now on, as after the port was opened."""
        self._heard = bytearray()

    def last_words(self) -> str:
        """What the board has printed since the port was opened, or since `listen`; from now on nothing more is kept."""
        heard, self._heard = self._heard or bytearray(), None
        # Of a line whose beginning is gone nobody can tell whether it holds a secret.
        known = heard if len(heard) < _KEPT else heard.partition(b"\n")[2]
        return re.sub(rb"\n{3,}", b"\n\n", known).decode("ascii")

    @property
    def url(self) -> str:
        return self._port.url

    @property
    def baud(self) -> int:
        return self._port.baud

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        handler, take = lost, receiver

        def received(data: bytes) -> None:
            if self._heard is not None:
                self._heard += data.replace(b"\0", b"\n").translate(None, _NOISE)
                del self._heard[:-_KEPT]
            if take is not None:
                take(data)

        def told(error: PortError) -> None:
            if handler is not None:
                handler(self._reason(error))

        self._port.set_receiver(None if receiver is None else received, None if lost is None else told)

    def write(self, data: bytes) -> None:
        self._check()
        try:
            self._port.write(data)
        except PortLost as error:
            raise self._reason(error) from error

    async def drain(self) -> None:
        self._check()
        try:
            await self._port.drain()
        except PortLost as error:
            raise self._reason(error) from error

    async def set_baud(self, baud: int) -> None:
        self._check()
        try:
            await self._port.set_baud(baud)
        except PortLost as error:
            raise self._reason(error) from error

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        self._check()
        try:
            await self._port.set_lines(dtr=dtr, rts=rts)
        except PortLost as error:
            raise self._reason(error) from error

    async def close(self) -> None:
        await self._port.close()

    def _reason(self, error: PortError) -> PortError:
        """Why the port is lost: with its lease, or by itself."""
        self._hear_out()
        try:
            self._check()
        except LeaseLost as lost:
            return lost
        return error


async def open_lease_port(
    url: str,
    tcp_port: int,
    baud: int,
    check: Callable[[], None],
    hear_out: Callable[[], None],
    taken_in: Callable[[], Awaitable[object]] | None = None,
) -> Port:
    """Open what the keeper serves.

    Args:
        url: the place's own, which names it in errors.
        tcp_port: of the keeper, on 127.0.0.1.
        baud: speed of the line, in baud.
        check: raises `LeaseLost` when the lease is lost.
        hear_out: waits until what the keeper has said of that is known.
        taken_in: waits until the keeper knows who has connected: it cannot tell of a client that has hung up by then.

    Raises:
        LeaseLost, PortNotFound, PortError: it cannot be opened.
        PortBusy: its server has another client.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + _FREE_S
    while True:
        check()
        try:
            return LeasePort(await _open(url, tcp_port, baud, taken_in), check, hear_out)
        except PortBusy:
            hear_out()
            check()
            if loop.time() > until:
                raise
        except PortError:
            hear_out()
            check()
            raise
        await asyncio.sleep(_TRY_S)


async def _open(url: str, tcp_port: int, baud: int, taken_in: Callable[[], Awaitable[object]] | None) -> SocketPort:
    scheme = url.partition(":")[0].lower()
    if scheme == "socket":
        port = SocketPort(url, baud)
        await connect(port, "127.0.0.1", tcp_port)
        if taken_in is not None:
            await taken_in()
        return port
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) if scheme == "rfc2217" else {}
    served = Rfc2217Port(url, baud, acknowledged_lines="ign_set_control" not in query)
    await connect(served, "127.0.0.1", tcp_port)
    try:
        await served.negotiate()
    except BaseException:
        await served.close()
        raise
    return served
