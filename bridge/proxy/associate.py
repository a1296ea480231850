"""UDP ASSOCIATE of SOCKS5: a UDP socket of the board for a client, for as long as its connection stands."""

from __future__ import annotations

import asyncio
import contextlib

from bridge.errors import BridgeError, NetError
from bridge.mirror.udp import UDPSocket
from bridge.proxy.association import Association
from bridge.proxy.client import LIMIT, Client
from bridge.proxy.serving import Served, Service, Unreached
from bridge.proxy.socks5 import Reply, Request, Socks5


async def associate(service: Service, client: Client, socks: Socks5, request: Request, served: Served) -> None:
    """Carry a client's datagrams until its connection ends, or the board restarts.

    Args:
        service, client: see there.
        socks: waits for the reply, which says where the client's datagrams go.
        request: its port, unless it is 0, is the one that they come from. Their address is the client's own.
        served: gets what happens.

    Raises:
        ClientGone: the client went before the reply.
        Unreached: the board has no socket, or there are associations enough.
        OSError: the client's connection broke.
        BridgeError: the board restarted, or went away.
    """
    if service.associations >= service.limits.associations:
        raise Unreached(NetError(f"{service.associations} UDP associations stand, and no more are allowed"))
    service.associations += 1
    try:
        try:
            udp = await client.while_there(_listening(service), _let_go)
        except (OSError, BridgeError) as error:
            raise Unreached(error) from error
        try:
            await _carry(
                service, client, socks, Association(service, udp, client.address[0], request.tcp_port, served), udp
            )
        finally:
            await udp.release()
    finally:
        service.associations -= 1


async def _listening(service: Service) -> UDPSocket:
    udp = await service.board.net.createUDPSocket()
    try:
        await udp.listen()
    except BaseException:
        await udp.release()
        raise
    return udp


def _let_go(udp: UDPSocket) -> None:
    udp.table.spawn(udp.release())


async def _carry(service: Service, client: Client, socks: Socks5, association: Association, udp: UDPSocket) -> None:
    loop = asyncio.get_running_loop()
    # At the address that the client has reached the proxy by, so that it is as far open and no further.
    here = client.writer.get_extra_info("sockname")[0]
    transport, _ = await loop.create_datagram_endpoint(lambda: association, local_addr=(here, 0))
    gone = asyncio.Event()
    udp.when_gone(lambda reason: gone.set())
    tasks: list[asyncio.Future[object]] = []
    try:
        socks.reply(Reply.SUCCEEDED, *transport.get_extra_info("sockname")[:2])
        await client.say(socks.data_to_send())
        tasks += [asyncio.ensure_future(each) for each in (association.pump(), _until_closed(client), gone.wait())]
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        udp.check()
        for task in ended:
            task.result()
    finally:
        transport.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await association.end()


async def _until_closed(client: Client) -> None:
    with contextlib.suppress(OSError):
        while await client.reader.read(LIMIT):
            pass
