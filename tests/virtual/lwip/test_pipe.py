"""Paths with a delay."""

from __future__ import annotations

import asyncio

from bridge.virtual import clock
from bridge.virtual.lwip.pipe import Pipe


def test_things_arrive_in_order_each_after_its_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        got: list[tuple[str, float]] = []
        pipe = Pipe[str](loop, 0.5, lambda thing: got.append((thing, round(loop.time(), 6))))
        pipe.put("late", at=2.0)
        pipe.put("behind it")
        await asyncio.sleep(3)
        pipe.put("now")
        await asyncio.sleep(1)
        assert got == [("late", 2.5), ("behind it", 2.5), ("now", 3.5)]
        pipe.put("lost")
        pipe.close()
        pipe.put("lost too")
        await asyncio.sleep(2)
        assert len(got) == 3

    clock.run(main())
