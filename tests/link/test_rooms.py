from __future__ import annotations

import asyncio

import pytest

from bridge.agent import _Code
from bridge.errors import LuaError
from bridge.link.rooms import Rooms
from bridge.wire.messages import ONCE, Call, Message, Source


def test_a_room_is_loaded_once_also_by_who_gives_up() -> None:
    async def main() -> None:
        loaded: list[str] = []
        gate = asyncio.Event()

        async def load(room: str) -> None:
            loaded.append(room)
            await gate.wait()

        rooms = Rooms(_Code(), load)
        one, two = (asyncio.create_task(rooms.load(["objects", "values"])) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        gate.set()
        await two
        await rooms.load(["values"])
        assert loaded == ["objects", "values"] and absent(rooms, "objects", "values") == []

    asyncio.run(main())


def test_who_comes_when_a_room_has_just_arrived_does_not_go_on_first() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def load(room: str) -> None:
            await gate.wait()

        rooms, order = Rooms(_Code(), load), []

        async def go(name: int) -> None:
            await rooms.load(["objects", "values"])
            order.append(name)

        tasks = [asyncio.create_task(go(name)) for name in range(2)]
        await asyncio.sleep(0)
        gate.set()
        while len(order) < 2:
            tasks.append(asyncio.create_task(go(len(tasks))))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert order == sorted(order) and len(order) > 4

    asyncio.run(main())


def test_a_room_that_did_not_load_is_tried_again() -> None:
    async def main() -> None:
        tries: list[str] = []

        async def load(room: str) -> None:
            tries.append(room)
            if len(tries) == 1:
                raise LuaError("not enough memory")

        rooms = Rooms(_Code(), load)
        with pytest.raises(LuaError):
            await rooms.load(["values"])
        await asyncio.sleep(0)
        await rooms.load(["values"])
        assert tries == ["values", "values"]

    asyncio.run(main())


def test_rooms_for_a_call_that_cannot_wait() -> None:
    async def main() -> None:
        async def load(room: str) -> None:
            raise AssertionError

        rooms = Rooms(_Code(), load)
        with pytest.raises(ValueError, match="cannot be sent"), rooms.missing(["objects"]):
            raise ValueError("cannot be sent")
        messages = absent(rooms, "objects")
        assert isinstance(messages[0], Source) and messages[-1] == Call(ONCE, 0)
        assert absent(rooms, "objects") == []
        assert rooms.forget(["objects", "values"]) == ["objects"]
        assert absent(rooms, "objects") == messages
        await rooms.load(["objects"])

    asyncio.run(main())


def absent(rooms: Rooms, *names: str) -> list[Message]:
    with rooms.missing(names) as messages:
        return messages
