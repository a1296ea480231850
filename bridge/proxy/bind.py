"""BIND of SOCKS5: the board listens, and the first peer that may come is the client's."""

from __future__ import annotations

import asyncio
import contextlib

from bridge.errors import BridgeError, ConnectionReset
from bridge.proxy.client import Client
from bridge.proxy.connect import Stream, abandon, carry
from bridge.proxy.serving import Served, Service, Unreached
from bridge.proxy.socks5 import Reply, Request, Socks5
from bridge.streams.server import BoardServer

#: What a client names that leaves open who comes.
_ANYBODY = {"0.0.0.0", "::"}
#: Address of a peer of which the board does not know it any more.
_UNKNOWN = "0.0.0.0"


async def bind(service: Service, client: Client, socks: Socks5, request: Request, served: Served) -> None:
    """Listen for a client's peer: two replies, where the board listens and who has come, then bytes.

    Args:
        service, client: see there.
        socks: waits for the replies.
        request: its host, unless it is 0.0.0.0, is the only one that may come; others are sent away. Who has closed by
            the time that the board is asked who it is, as a peer with little to say does, is let in as 0.0.0.0.
        served: gets what happens.

    Raises:
        ClientGone: the client went.
        Unreached: the board does not listen, or nobody came.
        OSError: a connection broke.
    """
    try:
        listener = await client.while_there(_Listener.open(service, request.host), _Listener.close)
    except (OSError, BridgeError) as error:
        raise Unreached(error) from error
    try:
        socks.reply(Reply.SUCCEEDED, *listener.address)
        await client.say(socks.data_to_send())
        try:
            board = await client.while_there(listener.first(service.limits.bind), abandon)
        except (OSError, BridgeError) as error:
            raise Unreached(error) from error
        try:
            socks.reply(Reply.SUCCEEDED, *_name(board[1]))
            await client.say(socks.data_to_send())
        except BaseException:
            abandon(board)
            raise
        await carry(client.stream, board, served)
    finally:
        listener.close()
        await listener.closed()


def _name(writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Address and port of a peer; 0.0.0.0 and 0 if it has closed before the board was asked."""
    ip, tcp_port = writer.get_extra_info("peername") or (None, None)
    return (_UNKNOWN, 0) if ip is None or tcp_port is None else (ip, tcp_port)


class _Listener:
    """A listener of the board that takes one peer.

    Args:
        service: see there.
        expected: address of the only one that may come; None is anybody.
    """

    def __init__(self, service: Service, expected: str | None) -> None:
        self._service, self._expected = service, expected
        self._peer: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        self._peer.add_done_callback(lambda peer: peer.cancelled() or peer.exception())  # perhaps nobody asks any more
        self._server: BoardServer | None = None
        self._watching: asyncio.Task[None] | None = None
        self.address: tuple[str, int] = ("0.0.0.0", 0)

    @classmethod
    async def open(cls, service: Service, host: str) -> _Listener:
        """Begin to listen on a port that the board chooses.

        Raises:
            DNSFailed: nobody knows the peer's name.
            OSError, BridgeError: the board does not listen.
        """
        board = service.board
        expected = None if host in _ANYBODY else await service.names.address(host)
        listener = cls(service, expected)
        # The address goes first: what fails behind the listener would leave it open.
        own = await board.wifi.sta.getip()
        server = await board.start_server(listener._met, 0)
        listener._server = server
        listener._watching = asyncio.ensure_future(listener._watch(server))
        ip, tcp_port = server.sockets[0].getsockname()
        listener.address = (str(own[0]) if ip == "0.0.0.0" and own and own[0] else ip, tcp_port)
        return listener

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ip, _ = _name(writer)
        if self._peer.done() or ip not in (_UNKNOWN, self._expected or ip):
            writer.transport.abort()
            return
        self._peer.set_result((reader, writer))

    async def _watch(self, server: BoardServer) -> None:
        """Tell who waits for the peer when the board has gone."""
        try:
            with contextlib.suppress(RuntimeError):  # it is closed already
                await server.serve_forever()
        except OSError as error:
            if not self._peer.done():
                self._peer.set_exception(error)

    async def first(self, seconds: float) -> Stream:
        """The peer, when it comes; nobody else comes after it.

        Raises:
            TimeoutError: nobody came.
            OSError: the board restarted, or went away.
        """
        async with asyncio.timeout(seconds):
            peer = await asyncio.shield(self._peer)
        assert self._server is not None
        self._server.close()
        return peer

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        if not self._peer.done():
            self._peer.set_exception(ConnectionReset("Nobody waits any more"))

    async def closed(self) -> None:
        """Wait until the board listens no more, and the peer's connection is over."""
        if self._peer.exception() is None:
            abandon(self._peer.result())
        if self._server is None or self._watching is None:
            return
        self._watching.cancel()
        await asyncio.wait([self._watching])
        await self._server.wait_closed()
