"""Contract suites: what every implementation of a contract must do, run on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import pytest

from bridge.errors import PortError, PortLost
from bridge.ports.base import Port

EVERY_BYTE = bytes(range(256))


class Peer(Protocol):
    """The far end of the port under test."""

    async def say(self, data: bytes) -> None:
        """Put bytes on the line towards the port."""

    async def hear(self, count: int) -> bytes:
        """The next bytes that the port wrote."""

    async def leave(self) -> None:
        """Go away, as an unplugged adapter does."""


@dataclass
class Rig:
    """A port and what is at its other end; `baud` is a speed the port can be changed to."""

    port: Port
    peer: Peer
    baud: int = 460_800


class Listener:
    """A receiver that collects and can be waited on."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.losses: list[PortError] = []
        self._news = asyncio.Event()

    def __call__(self, data: bytes) -> None:
        assert data, "a receiver is never called with no bytes"
        self.data += data
        self._news.set()

    def lost(self, error: PortError) -> None:
        self.losses.append(error)
        self._news.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                self._news.clear()
                await self._news.wait()


async def check_port(make: Callable[[], AbstractAsyncContextManager[Rig]]) -> None:
    """Run the contract of `bridge.ports.base.Port` on what `make` makes; a fresh one for each part."""
    for part in (_both_ways, _kept, _much, _speed, _closing, _loss):
        async with asyncio.timeout(30), make() as rig:
            await part(rig)


async def _both_ways(rig: Rig) -> None:
    listener = Listener()
    rig.port.set_receiver(listener, listener.lost)
    await rig.peer.say(EVERY_BYTE)
    await listener.until(lambda: len(listener.data) >= 256)
    assert bytes(listener.data) == EVERY_BYTE
    rig.port.write(b"")
    rig.port.write(EVERY_BYTE[:100])
    rig.port.write(EVERY_BYTE[100:])
    assert await rig.peer.hear(256) == EVERY_BYTE
    assert listener.losses == []


async def _kept(rig: Rig) -> None:
    first = Listener()
    rig.port.set_receiver(first)
    await rig.peer.say(b"one")
    await first.until(lambda: bytes(first.data) == b"one")
    rig.port.set_receiver(None)
    await rig.peer.say(b"two")
    # The line is in order both ways only for itself: ask the far end to answer after "two", and wait for nothing else.
    rig.port.write(b"?")
    assert await rig.peer.hear(1) == b"?"
    second = Listener()
    rig.port.set_receiver(second)
    assert not second.data, "kept bytes come from the loop, not from inside set_receiver"
    await rig.peer.say(b"three")
    await second.until(lambda: len(second.data) >= 8)
    assert (bytes(first.data), bytes(second.data)) == (b"one", b"twothree")


async def _much(rig: Rig) -> None:
    data = EVERY_BYTE * 80
    listener = Listener()
    rig.port.set_receiver(listener)
    rig.port.write(data)
    heard, _ = await asyncio.gather(rig.peer.hear(len(data)), rig.peer.say(data))
    assert heard == data
    await listener.until(lambda: len(listener.data) >= len(data))
    assert bytes(listener.data) == data
    await rig.port.drain()


async def _speed(rig: Rig) -> None:
    before = rig.port.baud
    if rig.baud != before:
        await rig.port.set_baud(rig.baud)
    assert rig.port.baud == rig.baud
    rig.port.write(b"still there")
    assert await rig.peer.hear(11) == b"still there"


async def _closing(rig: Rig) -> None:
    rig.port.write(b"last words")
    await rig.port.close()
    await rig.port.close()
    assert await rig.peer.hear(10) == b"last words"
    with pytest.raises(PortLost):
        rig.port.write(b"too late")
    with pytest.raises(PortLost):
        await rig.port.drain()


async def _loss(rig: Rig) -> None:
    listener = Listener()
    rig.port.set_receiver(listener, listener.lost)
    await rig.peer.leave()
    await listener.until(lambda: bool(listener.losses))
    assert len(listener.losses) == 1
    error = listener.losses[0]
    assert isinstance(error, PortLost) and isinstance(error, ConnectionError)
    assert error.port == rig.port.url and error.remedy
    with pytest.raises(PortLost):
        rig.port.write(b"anyone?")
    with pytest.raises(PortLost):
        await rig.port.drain()
    await rig.port.close()
