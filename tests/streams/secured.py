"""TLS at the far side, over whatever connection it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.streams.far import Far
from tests.streams.worlds import World
from tests.virtual.modules.tls_bench import issue, server_context

SERVER = issue("server")
#: What servers show, and what believes them.
SHOWN = server_context(SERVER)
BELIEVING = ssl.create_default_context(cadata=SERVER.certificate.decode())
#: Believes nobody it meets here.
STRICT = ssl.create_default_context()


class SecuredFar:
    """A far end that speaks TLS.

    Args:
        far: the connection, or another of these.
        context: settings of OpenSSL; a server's unless `name` is given.
        name: the server's, of a client.
    """

    def __init__(self, far: Any, context: ssl.SSLContext, name: str | None = None) -> None:
        self.far = far
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_side=name is None, server_hostname=name)

    async def handshake(self) -> None:
        """Shake hands.

        Raises:
            ssl.SSLError: it failed.
        """
        await self._until(self.object.do_handshake)

    async def read(self, count: int = -1) -> bytes:
        """What has come; b"" at the end; -1 is all to the end."""
        data = b""
        while part := await self._read(65_536 if count < 0 else count):
            data += part
            if count >= 0:
                break
        return data

    async def _read(self, count: int) -> bytes:
        try:
            return bytes(await self._until(lambda: self.object.read(count)))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def read_exactly(self, count: int) -> bytes:
        """So many bytes."""
        data = b""
        while len(data) < count:
            part = await self.read(count - len(data))
            assert part, "it ended before"
            data += part
        return data

    def write(self, data: bytes) -> None:
        """Send."""
        self.object.write(data)
        self._flush()

    def farewell(self) -> None:
        """Say that no more comes, in TLS alone."""
        try:
            self.object.unwrap()
        except ssl.SSLError:
            pass
        self._flush()

    def close(self) -> None:
        """Say that no more comes."""
        self.farewell()
        self.far.close()

    def _flush(self) -> None:
        if self._out.pending:
            try:
                self.far.write(self._out.read())
            except ConnectionResetError:
                pass

    async def _until(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                data = await self.far.read(65_536)
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()
            finally:
                self._flush()


@asynccontextmanager
async def secured(world: World, factory: Callable[[], Any], **more: Any) -> AsyncIterator[tuple[Any, Any, SecuredFar]]:
    """(transport, protocol, far end) of a connection to a TLS server."""

    async def shake() -> SecuredFar:
        made = SecuredFar(await server.accept(), SHOWN)
        await made.handshake()
        return made

    async with world.far_server() as server:
        shaking = asyncio.ensure_future(shake())
        options = {"ssl": BELIEVING, "server_hostname": "server"} | more
        transport, protocol = await world.create_connection(factory, *server.address, **options)
        try:
            yield transport, protocol, await shaking
        finally:
            transport.abort()


@asynccontextmanager
async def dialled(world: World, server: Any) -> AsyncIterator[SecuredFar]:
    """A TLS client at the far side of a server that was made here."""
    async with world.dial(server) as far:
        made = SecuredFar(far, BELIEVING, "server")
        await made.handshake()
        yield made


async def silent(far: Far) -> None:
    """Read and say nothing, until the end."""
    try:
        while await far.read(65_536):
            pass
    except OSError:
        pass
