"""Serves a client that speaks SOCKS5."""

from __future__ import annotations

import asyncio

from bridge.proxy.associate import associate
from bridge.proxy.bind import bind
from bridge.proxy.client import Client
from bridge.proxy.connect import abandon, carry, connect
from bridge.proxy.reasons import is_ipv6, reply_for, sentence
from bridge.proxy.serving import Served, Service, Unreached
from bridge.proxy.socks5 import Command, Rejected, Reply, Request, Socks5

_KINDS = {Command.CONNECT: "connect", Command.BIND: "bind", Command.UDP_ASSOCIATE: "udp"}
#: What a client says that knows no address, in IPv6.
_NOWHERE = "::"


async def serve_socks(service: Service, client: Client, first: bytes, served: Served, deadline: float) -> None:
    """Serve a client whose first byte has been read.

    Args:
        service, client: see there.
        first: the byte.
        served: gets what happens.
        deadline: of the loop's clock, for the handshake.

    Raises:
        OSError, EOFError, ClientGone, TimeoutError: the client broke off, went, or was too slow.
    """
    credentials = service.credentials
    socks = Socks5(None if credentials is None else credentials.admit)
    async with asyncio.timeout_at(deadline):
        request = await _request(client, socks, first)
    if isinstance(request, Rejected):
        served.outcome = request.why
        await client.part(socks.data_to_send(), service.limits.farewell)
        return
    served.kind, served.target = _KINDS[request.command], f"{request.host}:{request.tcp_port}"
    try:
        if is_ipv6(request.host) and not _tells_nothing(request):
            served.outcome = "the board's stack speaks IPv4 alone"
            await _part(service, client, socks, Reply.NO_SUCH_ADDRESS_TYPE)
            return
        match request.command:
            case Command.CONNECT:
                await _connect(service, client, socks, request, served)
            case Command.BIND:
                await bind(service, client, socks, request, served)
            case Command.UDP_ASSOCIATE:
                await associate(service, client, socks, request, served)
    except Unreached as error:
        served.outcome = sentence(error.cause)
        await _part(service, client, socks, reply_for(error.cause))


def _tells_nothing(request: Request) -> bool:
    """True if the address is none that the board has to reach: the client's own, or that it knows none."""
    return request.command is Command.UDP_ASSOCIATE or request.command is Command.BIND and request.host == _NOWHERE


async def _request(client: Client, socks: Socks5, first: bytes) -> Request | Rejected:
    data = first
    while (result := socks.receive(data)) is None:
        await client.say(socks.data_to_send())
        data = await client.reader.read(socks.wanted)
        if not data:
            raise EOFError
    return result


async def _connect(service: Service, client: Client, socks: Socks5, request: Request, served: Served) -> None:
    board = await connect(service, client, request.host, request.tcp_port)
    try:
        socks.reply(Reply.SUCCEEDED, *(board[1].get_extra_info("sockname") or ()))
        await client.say(socks.data_to_send())
    except BaseException:
        abandon(board)
        raise
    await carry(client.stream, board, served)


async def _part(service: Service, client: Client, socks: Socks5, reply: Reply) -> None:
    socks.reply(reply)
    await client.part(socks.data_to_send(), service.limits.farewell)
