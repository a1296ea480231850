"""A board without `await`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bridge import board as _board
from bridge import opening as _opening
from bridge.board import RESET_TIMEOUT
from bridge.errors import BoardReset
from bridge.lifecycle import State
from bridge.link import CALL_TIMEOUT, AgentFacts
from bridge.link.speed import LADDER
from bridge.portal import portal
from bridge.ports.base import CONSOLE_BAUD
from bridge.streams.facade import LIMIT
from bridge.sync.face import inward, outward, to_handler
from bridge.sync.file import File
from bridge.sync.files import Files
from bridge.sync.node import Node
from bridge.sync.objects import LuaName, Net
from bridge.sync.pins import Adc, Gpio, Uart
from bridge.sync.streams import ClientHandler, Server, Stream, serving
from bridge.sync.tls import TLS
from bridge.sync.tmr import Tmr
from bridge.sync.wifi import Wifi
from bridge.wire.values import Value


class Board:
    """A board with the agent on it; see `bridge.board.Board`. Made by `open_board`."""

    def __init__(self, board: _board.Board) -> None:
        self._board = board
        self.tls = TLS(board.tls)
        self.net = Net(board.net, self.tls)
        self.lua = LuaName(board.lua)
        self.adc = Adc(board.adc)
        self.file = File(board.file)
        self.files = Files(board.files)
        self.gpio = Gpio(board.gpio)
        self.node = Node(board.node)
        self.tmr = Tmr(board.tmr)
        self.uart = Uart(board.uart)
        self.wifi = Wifi(board.wifi)
        portal().at_exit(board.close)

    def __repr__(self) -> str:
        return f"<sync {repr(self._board)[1:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def asyncio_board(self) -> _board.Board:
        """The board whose methods are awaited, for what is made of coroutines: `bridge.portal.portal().call` runs them
        on the loop that it belongs to."""
        return self._board

    @property
    def url(self) -> str:
        """The URL or path of its port."""
        return self._board.url

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._board.state

    @property
    def facts(self) -> AgentFacts:
        """What is known of the firmware of the present boot."""
        return self._board.facts

    @property
    def last_reset(self) -> BoardReset | None:
        """The last restart of the board since it was opened, with its cause, or None."""
        return self._board.last_reset

    @property
    def chunk_name(self) -> str:
        """Of the chunks that `exec` and `eval` run, where nobody names them; may be set."""
        return self._board.chunk_name

    @chunk_name.setter
    def chunk_name(self, name: str) -> None:
        self._board.chunk_name = name

    @property
    def dropped_calls(self) -> int:
        """Calls of Python functions by Lua that were dropped in this boot."""
        return self._board.dropped_calls

    def on(self, event: str, handler: Callable[..., Any] | None) -> None:
        """Set who is told of something, on the callback thread."""

        async def run() -> None:
            self._board.on(event, to_handler(handler))

        portal().call(run())

    def watch(self, watcher: Callable[..., None]) -> None:
        """Tell a function of all events of `bridge.handlers.EVENTS`, by name and with what their handlers get. It is
        called on the loop of all boards, which waits meanwhile."""

        async def run() -> None:
            self._board.watch(watcher)

        portal().call(run())

    def eval(self, expression: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """The value of a Lua expression."""
        return inward(portal().call(self._board.eval(expression, *map(outward, values), timeout=timeout)))

    def exec(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str | None = None
    ) -> Value:
        """Run a Lua chunk on the board."""
        return inward(portal().call(self._board.exec(source, *map(outward, values), timeout=timeout, name=name)))

    def open_connection(self, host: str, port: int, *, limit: int = LIMIT, **options: Any) -> Stream:
        """Connect through the board; see `Streams.create_connection` for the options and what is raised."""

        async def run() -> Stream:
            return Stream(*await self._board.open_connection(host, port, limit=limit, **options))

        return portal().call(run())

    def start_server(
        self,
        client_connected_cb: ClientHandler,
        port: int | str | None = None,
        host: int | str | None = None,
        *,
        limit: int = LIMIT,
        **options: Any,
    ) -> Server:
        """Listen on the board; the function gets a `Stream` for each client, on the callback thread, so that clients
        are served one after the other, and each connection is closed when it returns. See `Streams.create_server`."""

        async def run() -> Server:
            handler = serving(client_connected_cb)
            return Server(await self._board.start_server(handler, port, host, limit=limit, **options))

        return portal().call(run())

    def state_changed(self) -> None:
        """Wait until `state` changes."""
        portal().call(self._board.state_changed())

    def reset(self, *, seconds: float = RESET_TIMEOUT) -> None:
        """Restart the board and put the agent on it again."""
        portal().call(self._board.reset(seconds=seconds))

    def close(self) -> None:
        """Give the prompt and the port back."""
        portal().call(self._board.close())
        portal().forget(self._board.close)


def open_board(
    port: str,
    *,
    baud: int = CONSOLE_BAUD,
    speeds: Iterable[int] = LADDER,
    mhz: int = 160,
    trace: str | Path | None = None,
) -> Board:
    """Open a board and return it; closes as a context manager, by `close`, or when the program ends.

    Args:
        port: a port's URL (see `bridge.ports.open`); not `virtual:?clock=virtual`, whose time stands still while
            nothing on its own loop waits.
        baud: speed of the board's console, in baud.
        speeds, mhz, trace: see `bridge.open_board`.

    Raises:
        As `bridge.open_board`.
    """

    async def run() -> _board.Board:
        return await _opening.open_board(port, baud=baud, speeds=speeds, mhz=mhz, trace=trace)

    return Board(portal().call(run()))
