"""Serves a client that takes the proxy for one of HTTP: CONNECT, and requests with a whole URI."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import cast

from bridge.proxy.client import Client
from bridge.proxy.connect import abandon, carry, connect
from bridge.proxy.http_head import END, HttpRefused, HttpRequest, answer, read_head
from bridge.proxy.reasons import sentence, status_for
from bridge.proxy.serving import Served, Service, Unreached

_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def serve_http(service: Service, client: Client, first: bytes, served: Served, deadline: float) -> None:
    """Serve a client whose first byte has been read.

    Args:
        service, client: see there.
        first: the byte.
        served: gets what happens.
        deadline: of the loop's clock, for the request's head.

    Raises:
        OSError, EOFError, ClientGone, TimeoutError: the client broke off, went, or was too slow.
    """
    try:
        async with asyncio.timeout_at(deadline):
            request = read_head(first + await _head(client))
        served.kind, served.target = "tunnel" if request.tunnel else "fetch", f"{request.host}:{request.tcp_port}"
        _admit(service, request)
        board = await connect(service, client, request.host, request.tcp_port)
    except HttpRefused as error:
        served.outcome = error.why.rstrip(".")
        await client.part(answer(error.status, error.why), service.limits.farewell)
        return
    except Unreached as error:
        served.outcome = sentence(error.cause)
        await client.part(answer(status_for(error.cause), f"{served.outcome}."), service.limits.farewell)
        return
    if request.tunnel:
        try:
            await client.say(_CONNECTED)
        except BaseException:
            abandon(board)
            raise
        await carry(client.stream, board, served)
    else:
        board[1].write(request.head)
        served.to_board += len(request.head)
        # All that `relay` does with a reader is to read.
        body = cast(asyncio.StreamReader, _Counted(client.reader, request.body))
        await carry((body, client.writer), board, served)


async def _head(client: Client) -> bytes:
    try:
        return await client.reader.readuntil(END)
    except asyncio.LimitOverrunError as error:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise HttpRefused(status, "The request's head is longer than this proxy reads.") from error


def _admit(service: Service, request: HttpRequest) -> None:
    if service.credentials is None:
        return
    if request.login is None or not service.credentials.admit(*request.login):
        what = "This proxy wants a user and a password" + (", and these are not right." if request.login else ".")
        raise HttpRefused(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, what)


class _Counted:
    """Reads a request's body and no further: what a client sends behind it is meant for the proxy, with its password.

    Args:
        reader: of the client.
        left: bytes of the body.
    """

    def __init__(self, reader: asyncio.StreamReader, left: int) -> None:
        self._reader, self._left = reader, left

    async def read(self, n: int) -> bytes:
        """Bytes of the body; none when it is over."""
        if not self._left:
            return b""
        data = await self._reader.read(min(n, self._left))
        self._left -= len(data)
        return data
