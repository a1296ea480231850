"""The proxy: listens on this computer, and serves each client by what it speaks."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from collections.abc import Callable
from types import TracebackType

from bridge.board import Board
from bridge.errors import BridgeError, PortBusy, PortError, UsageError
from bridge.lost import lost_for_good
from bridge.proxy.by_http import serve_http
from bridge.proxy.by_socks import serve_socks
from bridge.proxy.client import LIMIT, Client, ClientGone
from bridge.proxy.credentials import Credentials
from bridge.proxy.limits import Limits
from bridge.proxy.reasons import sentence
from bridge.proxy.serving import Served, Service, log
from bridge.streams.local import Local
from bridge.streams.names import Names

#: Where a proxy listens unless it is told otherwise.
HOST, TCP_PORT = "127.0.0.1", 1080
#: First bytes of SOCKS, right or wrong: anything below the letters.
_LETTERS = range(ord("A"), ord("z") + 1)


class Proxy:
    """A proxy for SOCKS5 and HTTP whose connections are a board's.

    async with Proxy(board, tcp_port=0) as proxy:
        print(proxy.address)
        await proxy.serve_forever()

    It lives as long as the board is open; when the board restarts, its connections end and new ones wait for it.

    Args:
        board: open.
        host: address of this computer to listen on. Any but a loopback one needs `credentials`.
        tcp_port: there; 0 lets the system choose.
        credentials: that every client must bring; None lets everybody in who can reach the address.
        limits: see `Limits`.
        told: called with each request that is over.

    Raises:
        UsageError: the address is open to others and there are no credentials, or host or port is none.
    """

    def __init__(
        self,
        board: Board,
        *,
        host: str = HOST,
        tcp_port: int = TCP_PORT,
        credentials: Credentials | None = None,
        limits: Limits | None = None,
        told: Callable[[Served], None] | None = None,
    ) -> None:
        self._host, self._tcp_port = self.check(host, tcp_port, credentials)
        self._service = Service(board, Names(board.net, board.url), credentials, limits or Limits(), self._tell)
        self._told = told
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    @staticmethod
    def check(host: str, tcp_port: int, credentials: Credentials | None) -> tuple[str, int]:
        """Make sure that a proxy may listen there.

        Args:
            host, tcp_port, credentials: see the class.

        Returns:
            Address and port.

        Raises:
            UsageError: see the class.
        """
        if not 0 <= tcp_port < 65_536:
            raise UsageError(f"{tcp_port} is no port to listen on", remedy="Give 1 to 65535, or 0 for a free one.")
        host = {"localhost": "127.0.0.1", "": "0.0.0.0"}.get(host, host)
        if credentials is None and not _is_loopback(host):
            raise UsageError(
                f"A proxy on {host} is open to other computers, so it needs a user and a password",
                remedy="Give them, or listen on 127.0.0.1.",
            )
        return host, tcp_port

    def __repr__(self) -> str:
        return f"<Proxy {'closed' if self._server is None else '{}:{}'.format(*self.address)}>"

    @property
    def address(self) -> tuple[str, int]:
        """Address and port that it listens on."""
        if self._server is None or not self._server.sockets:
            raise UsageError("The proxy does not listen", remedy="Use it as `async with`.")
        host, tcp_port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(tcp_port)

    @property
    def url(self) -> str:
        """Where it listens, as most programs take it: `socks5h://HOST:PORT`, which leaves names to the board."""
        host, tcp_port = self.address
        return f"socks5h://[{host}]:{tcp_port}" if ":" in host else f"socks5h://{host}:{tcp_port}"

    @property
    def clients(self) -> int:
        """How many clients there are, those that wait included."""
        return len(self._tasks)

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            PortBusy: somebody else listens there.
            PortError: this computer does not listen there for another reason.
        """
        loop = asyncio.get_running_loop()
        where = f"{self._host}:{self._tcp_port}"
        try:
            self._server = await loop.create_server(lambda: Local(self._met, LIMIT), self._host, self._tcp_port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortBusy(f"Another program listens on {where}", remedy="Choose another port.") from error
            why = error.strerror or type(error).__name__
            raise PortError(f"The proxy cannot listen on {where} ({why})", remedy="Choose another address.") from error

    async def serve_forever(self) -> None:
        """Wait until the proxy is closed or this is cancelled.

        Raises:
            BridgeError: the board was lost for good, or closed.
        """
        ended = asyncio.ensure_future(self._ended.wait())
        lost = asyncio.ensure_future(lost_for_good(self._service.board))
        try:
            await asyncio.wait([ended, lost], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                lost.result()
        finally:
            for task in (ended, lost):
                task.cancel()
            await asyncio.gather(ended, lost, return_exceptions=True)

    async def close(self) -> None:
        """Stop listening and end every connection. Doing it again does nothing."""
        server, self._server = self._server, None
        if server is None:
            return
        self._ended.set()
        server.close()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    async def __aenter__(self) -> Proxy:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        client = Client(reader, writer, gone)
        if self._server is None or len(self._tasks) >= self._service.limits.clients:
            log.warning("%s was sent away: there are %d clients already", client.name, len(self._tasks))
            client.writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        served = Served(client.name, "none")
        try:
            deadline = began + self._service.limits.handshake
            async with asyncio.timeout_at(deadline):
                first = await client.reader.read(1)
            if first:
                serve = serve_http if first[0] in _LETTERS else serve_socks
                await serve(self._service, client, first, served, deadline)
            else:
                served.outcome = "it said nothing"
        except (ClientGone, EOFError):
            served.outcome = "the client has gone"
        except TimeoutError as error:
            served.outcome = sentence(error) if isinstance(error, BridgeError) else "the client was too slow"
            client.reset()
        except (OSError, BridgeError) as error:
            served.outcome = sentence(error) if isinstance(error, BridgeError) else "the client broke off"
            client.reset()
        except Exception as error:
            served.outcome = f"a mistake of the proxy ({type(error).__name__})"
            loop.call_exception_handler({"message": "A client of the proxy was not served", "exception": error})
        finally:
            client.writer.transport.abort()
            served.seconds = round(loop.time() - began, 3)
            self._service.told(served)

    def _tell(self, served: Served) -> None:
        log.info("%s %s %s: %s", served.client, served.kind, served.target or "", served.outcome)
        if self._told is not None:
            self._told(served)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
