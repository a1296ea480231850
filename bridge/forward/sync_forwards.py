"""Forwards for programs without `await`.

with bridge.sync.open_board("/dev/ttyUSB0") as board, SyncForwards(board, [local("0:example.com:80")]) as [web]:
    requests.get("http://{}:{}/".format(*web.address))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self, overload

from bridge.errors import UsageError
from bridge.forward.opening import UDP_IDLE, Forwards, log, open_forwards
from bridge.forward.running import Running, Told
from bridge.forward.specification import Forward
from bridge.portal import portal
from bridge.streams.connecting import SLOT_TIMEOUT
from bridge.sync import Board


class SyncForwards(Sequence[Running]):
    """What `open_forwards` does, in the background, on a board of `bridge.sync`, for as long as a `with` lasts.

    Args:
        board: open.
        forwards, slot_timeout, udp_idle: see `open_forwards`.
        told: gets what `open_forwards` tells, on the thread of `bridge.sync`'s callbacks.

    Raises:
        PortBusy, PortError, BridgeError: by `with`: as `open_forwards`.
    """

    def __init__(
        self,
        board: Board,
        forwards: Iterable[Forward],
        *,
        told: Told = log.info,
        slot_timeout: float = SLOT_TIMEOUT,
        udp_idle: float = UDP_IDLE,
    ) -> None:
        def tell(sentence: str) -> None:
            portal().post(told, sentence)

        self._context = open_forwards(
            board.asyncio_board, forwards, told=tell, slot_timeout=slot_timeout, udp_idle=udp_idle
        )
        self._opened: Forwards | None = None

    def __enter__(self) -> Self:
        self._opened = portal().call(self._context.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened = None
        portal().call(self._context.__aexit__(None, None, None))

    @overload
    def __getitem__(self, index: int) -> Running: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Running]: ...
    def __getitem__(self, index: int | slice) -> Running | Sequence[Running]:
        return self._forwards[index]

    def __len__(self) -> int:
        return len(self._forwards)

    def serve_forever(self) -> None:
        """Wait until Ctrl-C.

        Raises:
            BridgeError: the board was lost for good, and with it what it listened on.
        """
        portal().call(self._forwards.serve_forever())

    @property
    def _forwards(self) -> Forwards:
        if self._opened is None:
            raise UsageError("These forwards do not run", remedy="Use them within `with`.")
        return self._opened
