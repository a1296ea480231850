from __future__ import annotations

import asyncio
import threading

from bridge.rack.loss import Loss


def test_it_is_said_by_a_thread_and_heard_by_a_loop() -> None:
    async def scenario() -> None:
        loss = Loss()
        waiting = [asyncio.create_task(loss.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        threading.Thread(target=loss.say, args=["gone"]).start()
        async with asyncio.timeout(10):
            await waiting[0]
            await loss.wait()
        loss.say("for another reason")
        assert loss.why == "gone"

    asyncio.run(scenario())


def test_a_loop_that_is_closed_is_told_nothing() -> None:
    loss = Loss()

    async def scenario() -> None:
        asyncio.get_running_loop()._gone = asyncio.ensure_future(loss.wait())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    asyncio.run(scenario())
    loss.say("gone")
    assert loss.why == "gone"
