"""The proxy for programs without `await`: with `requests`, urllib3, or a child process beside it.

with bridge.sync.open_board("/dev/ttyUSB0") as board, SyncProxy(board, tcp_port=0) as proxy:
    requests.get("http://example.com/", proxies={"http": proxy.url, "https": proxy.url})
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.portal import portal
from bridge.proxy.credentials import Credentials
from bridge.proxy.limits import Limits
from bridge.proxy.server import HOST, TCP_PORT, Proxy
from bridge.proxy.serving import Served
from bridge.sync import Board


class SyncProxy:
    """A `Proxy` of a board of `bridge.sync`: it serves in the background from `open`, or `with`, until `close`.

    Args:
        board: open.
        host, tcp_port, credentials, limits: see `Proxy`.
        told: called with each request that is over, on the thread of `bridge.sync`'s callbacks.

    Raises:
        UsageError: as `Proxy`.
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
        def tell(served: Served) -> None:
            if told is not None:
                portal().post(told, served)

        async def make() -> Proxy:
            return Proxy(
                board.asyncio_board, host=host, tcp_port=tcp_port, credentials=credentials, limits=limits, told=tell
            )

        # What a proxy is made of belongs to the loop that it serves on.
        self._proxy = portal().call(make())

    def __repr__(self) -> str:
        return f"<Sync{repr(self._proxy)[1:]}"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> tuple[str, int]:
        """Address and port that it listens on."""
        return self._proxy.address

    @property
    def url(self) -> str:
        """Where it listens, as programs take it: see `Proxy.url`."""
        return self._proxy.url

    @property
    def clients(self) -> int:
        """How many clients there are, those that wait included."""
        return self._proxy.clients

    def open(self) -> None:
        """Begin to listen.

        Raises:
            PortBusy, PortError: this computer does not listen there.
        """
        portal().call(self._proxy.open())

    def serve_forever(self) -> None:
        """Wait until the proxy is closed by another thread, or Ctrl-C.

        Raises:
            BridgeError: the board was lost for good, or closed.
        """
        portal().call(self._proxy.serve_forever())

    def close(self) -> None:
        """Stop listening and end every connection. Doing it again does nothing."""
        portal().call(self._proxy.close())
