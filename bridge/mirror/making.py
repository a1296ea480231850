"""Makes objects of the board, a few at a time.

Who gives up while the board makes an object leaves one there, until the board has answered and been told to let it go.
It counts until then: otherwise whoever comes and goes fast enough fills the board's heap with what nobody has.
"""

from __future__ import annotations

import asyncio

from bridge.link import Caller
from bridge.wire.values import Handle, Value

#: Objects that are made at once: as many as keep the line busy. Each takes up to a kilobyte of the board's heap.
AT_ONCE = 4


class Making:
    """Makes the objects of one boot.

    Args:
        caller: the link.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._places = asyncio.Semaphore(AT_ONCE)

    async def make(self, target: str, *values: Value) -> tuple[Value, ...]:
        """What a function of the agent's rooms returns that makes an object; see `Caller.call`.

        If this is cancelled, what was made is let go as soon as it is there.
        """
        await self._places.acquire()
        making = asyncio.get_running_loop().create_task(self._caller.call(target, *values))
        making.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(self._let_go)
            raise

    def _let_go(self, making: asyncio.Task[tuple[Value, ...]]) -> None:
        if not making.cancelled() and making.exception() is None:
            for value in making.result():
                if isinstance(value, Handle):
                    self._caller.release(value)
