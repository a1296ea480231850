from __future__ import annotations

import asyncio

import pytest

from bridge.errors import NetTimeout
from bridge.streams.slots import MOST, Slot, Slots
from tests.streams.worlds import BoardWorld


async def soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_slots_are_given_in_the_order_of_asking() -> None:
    async def main() -> None:
        slots = Slots(2)
        first, second = [await slots.acquire(1, "port") for _ in range(2)]
        got: list[int] = []

        async def ask(number: int) -> Slot:
            slot = await slots.acquire(10, "port")
            got.append(number)
            return slot

        waiting = [asyncio.ensure_future(ask(number)) for number in range(3)]
        await soon()
        assert (slots.taken, slots.waiting, got) == (2, 3, [])
        first.release()
        first.release()
        await soon()
        assert (slots.taken, got) == (2, [0])
        waiting[1].cancel()
        await soon()
        second.release()
        await soon()
        assert (slots.taken, got, slots.waiting) == (2, [0, 2], 0)
        for each in (waiting[0], waiting[2]):
            (await each).release()
        assert slots.taken == 0

    asyncio.run(main())


def test_who_gives_up_in_the_moment_in_which_it_is_its_turn_passes_it_on() -> None:
    async def main() -> None:
        slots = Slots(1)
        first = await slots.acquire(1, "port")
        one, two = (asyncio.ensure_future(slots.acquire(10, "port")) for _ in range(2))
        await soon()
        first.release()
        one.cancel()
        await soon()
        assert one.cancelled() and slots.taken == 1
        (await two).release()
        assert slots.taken == 0

    asyncio.run(main())


def test_waiting_ends() -> None:
    async def main() -> None:
        slots = Slots(1)
        slot = slots.take()
        with pytest.raises(NetTimeout, match=r"All 1 connections of the board were in use for 0\.01 s"):
            await slots.acquire(0.01, "port")
        slot.release()
        assert (slots.taken, slots.waiting) == (0, 0)

    asyncio.run(main())


def test_clients_that_were_accepted_count_even_when_there_are_too_many() -> None:
    async def main() -> None:
        slots = Slots(1)
        taken = [slots.take() for _ in range(3)]
        waiting = asyncio.ensure_future(slots.acquire(10, "port"))
        for each in taken[:2]:
            each.release()
            await soon()
            assert not waiting.done()
        taken[2].release()
        (await waiting).release()

    asyncio.run(main())


@pytest.mark.world("board")
async def test_fifty_clients_queue_for_the_slots_and_all_finish(world: BoardWorld) -> None:
    most = 0

    async def serve() -> None:
        while True:
            far = await server.accept()

            async def answer(far: object = far) -> None:
                far.write(await far.read_exactly(3))  # type: ignore[attr-defined]

            answers.append(asyncio.ensure_future(answer()))

    async def one(number: int) -> bytes:
        nonlocal most
        reader, writer = await world.open_connection(*server.address)
        most = max(most, world.board._slots.taken)
        writer.write(b"%03d" % number)
        answer = await reader.readexactly(3)
        writer.close()
        await writer.wait_closed()
        return answer

    answers: list[asyncio.Future[None]] = []
    async with world.far_server() as server:
        serving = asyncio.ensure_future(serve())
        found = await asyncio.gather(*(one(number) for number in range(50)))
        assert found == [b"%03d" % number for number in range(50)] and most == MOST
        serving.cancel()
        await asyncio.gather(*answers)
