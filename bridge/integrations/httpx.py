"""httpx over a board.

async with httpx.AsyncClient(transport=BoardTransport(board)) as client:
    response = await client.get("https://example.com/")

With a board of `bridge.sync`, for `httpx.Client`:

with httpx.Client(transport=SyncBoardTransport(board)) as client:
    response = client.get("https://example.com/")
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore
import httpx

from bridge.integrations.encryption import Encryption
from bridge.integrations.httpcore import BoardPool
from bridge.portal import portal
from bridge.streams import Streams
from bridge.sync import Board as SyncBoard

#: What httpcore raises; httpx has an error of the same name for each.
_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        # The pool says `from None`, which would hide what the board said.
        error.__cause__ = error.__cause__ or error.__context__
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoardTransport(httpx.AsyncBaseTransport):
    """For `httpx.AsyncClient(transport=…)`: connections and names are the board's.

    Args:
        board: an open `bridge.Board`.
        tls: who encrypts `https`: "host" or "board" (its module `tls`).
        verify: for "host": an `SSLContext`, or False to believe any certificate. A client's own `verify` does not reach
            a transport that it is given.
        limits: of the pool. Five connections unless given, what the stack serves; with `tls="board"` one, what the
            board's heap holds. The client's own `limits` do not reach here either.
    """

    def __init__(
        self,
        board: Streams,
        *,
        tls: Encryption = "host",
        verify: ssl.SSLContext | bool = True,
        limits: httpx.Limits | None = None,
    ) -> None:
        options: dict[str, Any] = {}
        if limits is not None:
            options = {
                "max_connections": limits.max_connections,
                "max_keepalive_connections": limits.max_keepalive_connections,
                "keepalive_expiry": limits.keepalive_expiry,
            }
        self._pool = BoardPool(board, tls=tls, ssl_context=httpx.create_ssl_context(verify=verify), **options)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its response; httpx calls this.

        Raises:
            httpx.TransportError: of the kind that says what failed.
        """
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = request.url
        made = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            response = await self._pool.handle_async_request(made)
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream), extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close the pool's connections."""
        with _as_httpx():
            await self._pool.aclose()


class _SyncBody(httpx.SyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        parts = aiter(self._stream)

        async def following() -> bytes | None:
            return await anext(parts, None)

        while (part := portal().call(following())) is not None:
            yield part

    def close(self) -> None:
        portal().call(self._stream.aclose())


class SyncBoardTransport(httpx.BaseTransport):
    """For `httpx.Client(transport=…)`. What is sent with a request is read whole before.

    Args:
        board: an open board of `bridge.sync`.
        options: of `BoardTransport`.
    """

    def __init__(self, board: SyncBoard, **options: Any) -> None:
        self._transport = BoardTransport(board.asyncio_board, **options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its response; httpx calls this.

        Raises:
            httpx.TransportError: of the kind that says what failed.
        """
        request.read()
        response = portal().call(self._transport.handle_async_request(request))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_SyncBody(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the pool's connections."""
        portal().call(self._transport.aclose())
