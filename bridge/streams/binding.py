"""Takes a port of the board: where it is to be, and what the board says if it cannot."""

from __future__ import annotations

import asyncio
import errno
from typing import Any

from bridge.errors import ArgumentRefused, BridgeError, ListenRefused, LuaError, NetTimeout, UsageError
from bridge.mirror.net import Net
from bridge.streams.datagram import BoardDatagramTransport
from bridge.streams.reasons import standard
from bridge.streams.resolving import port_number, resolve


def where_to_bind(port: int | str | None, host: int | str | None) -> tuple[str | None, int]:
    """Address and port, in whichever order they came; None and 0 if the board is to choose.

    Raises:
        ArgumentRefused: they are none.
    """
    if isinstance(host, int) or isinstance(port, str):
        port, host = host, port
    if isinstance(port, bool) or not isinstance(port, int | None) or not isinstance(host, str | None):
        raise ArgumentRefused(
            f"{port!r} and {host!r} are no port and address", remedy="Write create_server(factory, 8080)."
        )
    return host or None, port_number(port or 0, "tcp")


def not_bound(error: BridgeError, ip: str | None, port: int, url: str) -> OSError | UsageError:
    """The error for a board that does not listen.

    Args:
        error: what the call raised.
        ip, port: where it was to listen.
        url: the board's port.
    """
    where = f"{ip or '0.0.0.0'}:{port}"
    if isinstance(error, LuaError):
        made = ListenRefused(
            f"The board does not listen on {where}: {error.message}", port=url, remedy="Choose another port or address."
        )
        if "IP address" in error.message:
            made.errno = errno.EADDRNOTAVAIL
        made.__cause__ = error
        return made
    if isinstance(error, OSError | UsageError):
        return error
    return standard(error, where)


async def bind_datagrams(
    net: Net,
    local: tuple[str | None, int] | None,
    remote: tuple[str, int] | None,
    timeout: float | None,
    url: str,
) -> BoardDatagramTransport:
    """A UDP port of the board, its transport not begun.

    Args:
        net: of the board.
        local, remote, timeout: as of `Streams.create_datagram_endpoint`.
        url: of the board's port.

    Raises:
        ListenRefused, DNSFailed, NetTimeout, ConnectionLost: it did not come about.
        ArgumentRefused: an address is none.
    """
    ip, port = (None, 0) if local is None else where_to_bind(*reversed(_pair(local)))
    extra: dict[str, Any] = {}
    peer = None
    if remote is not None:
        host, peer_port = _pair(remote)
        number = port_number(peer_port, "udp")
        try:
            async with asyncio.timeout(timeout):
                peer = extra["peername"] = (await resolve(net, host, url), number)
        except TimeoutError as error:
            if isinstance(error, BridgeError):
                raise
            raise NetTimeout(f"No address for {host} within {timeout:g} s", port=url) from error
    try:
        socket = await net.createUDPSocket()
        try:
            await socket.listen(port, ip)
            own_port, own_ip = await socket.getaddr()
        except BaseException:
            await socket.release()
            raise
    except BridgeError as error:
        made = not_bound(error, ip, port, url)
        if made is error:
            raise
        raise made from error
    extra["sockname"] = (own_ip or ip or "0.0.0.0", own_port or port)
    return BoardDatagramTransport(socket, net, peer, extra)


def _pair(address: Any) -> tuple[Any, Any]:
    if not isinstance(address, tuple | list) or len(address) < 2:
        raise ArgumentRefused(f"{address!r} is no address", remedy='Write it as ("10.0.0.1", 53).')
    return address[0], address[1]
