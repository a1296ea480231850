from __future__ import annotations

import asyncio

from bridge.errors import PortError, PortLost
from bridge.ports import inbox
from bridge.ports.inbox import Inbox


def test_bytes_and_loss_kept_from_before_come_in_order() -> None:
    async def scenario() -> list[object]:
        seen: list[object] = []
        box = Inbox()
        box.feed(b"a")
        box.feed(b"b")
        loss = PortLost("gone", port="p")
        box.lose(loss)
        box.lose(PortLost("again", port="p"))
        box.set_receiver(seen.append, seen.append)
        assert seen == []
        await asyncio.sleep(0)
        return seen

    data, error = asyncio.run(scenario())
    assert data == b"ab" and isinstance(error, PortError) and "gone" in str(error)


def test_bytes_that_arrive_between_set_receiver_and_delivery_stay_behind_the_kept_ones() -> None:
    async def scenario() -> bytes:
        seen = bytearray()
        box = Inbox()
        box.feed(b"a")
        box.set_receiver(seen.extend, None)
        box.feed(b"b")
        await asyncio.sleep(0)
        box.feed(b"c")
        return bytes(seen)

    assert asyncio.run(scenario()) == b"abc"


def test_the_oldest_bytes_go_when_nobody_listens(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(inbox, "KEPT_BYTES", 4)

    async def scenario() -> bytes:
        seen = bytearray()
        box = Inbox()
        box.feed(b"abc")
        box.feed(b"def")
        box.set_receiver(seen.extend, None)
        await asyncio.sleep(0)
        return bytes(seen)

    assert asyncio.run(scenario()) == b"cdef"
