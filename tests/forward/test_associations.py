from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bridge.errors import DNSFailed, LinkTimeout
from bridge.forward.associations import MOST, WAITING, Association, Associations, Outlet
from bridge.virtual import clock


class Out:
    """An outlet that notes."""

    def __init__(self, error: Exception | None = None, pause: float = 0.0) -> None:
        self.sent: list[bytes] = []
        self.closed = False
        self._error, self._pause = error, pause

    async def send(self, data: bytes) -> None:
        await asyncio.sleep(self._pause)
        if self._error is not None:
            raise self._error
        self.sent.append(data)

    async def close(self) -> None:
        self.closed = True


class Stage:
    """Clients by their names."""

    def __init__(self, error: Exception | None = None, pause: float = 0.0) -> None:
        self.outs: list[tuple[str, Out]] = []
        self.failures: list[Exception] = []
        self.associations: dict[str, Association] = {}

        async def opening(client: str, association: Association) -> Outlet:
            self.outs.append((client, Out(error, pause)))
            self.associations[client] = association
            return self.outs[-1][1]

        self.clients: Associations[str] = Associations(opening, 10.0, self.failures.append)


def on_the_clock(scenario: Coroutine[Any, Any, None]) -> None:
    clock.run(scenario)


def test_a_client_keeps_its_outlet_until_it_is_idle() -> None:
    async def scenario() -> None:
        stage = Stage()
        stage.clients.put("a", b"1")
        await asyncio.sleep(9)
        stage.clients.put("a", b"2")
        await asyncio.sleep(9)
        stage.associations["a"].used()  # an answer came
        await asyncio.sleep(9)
        [(_, out)] = stage.outs
        assert out.sent == [b"1", b"2"] and not out.closed and len(stage.clients) == 1
        await asyncio.sleep(2)
        assert out.closed and len(stage.clients) == 0
        stage.clients.put("a", b"3")
        await asyncio.sleep(0)
        await stage.clients.clear()
        assert [client for client, _ in stage.outs] == ["a"] * len(stage.outs) and stage.failures == []

    on_the_clock(scenario())


def test_the_longest_silent_client_gives_way() -> None:
    async def scenario() -> None:
        stage = Stage()
        for number in range(MOST):
            stage.clients.put(str(number), b"x")
            await asyncio.sleep(0.1)
        stage.clients.put("0", b"y")
        stage.clients.put("new", b"x")
        await asyncio.sleep(0.1)
        assert len(stage.clients) == MOST
        assert [client for client, out in stage.outs if out.closed] == ["1"]
        await stage.clients.clear()
        assert all(out.closed for _, out in stage.outs) and len(stage.clients) == 0

    on_the_clock(scenario())


def test_what_comes_too_fast_is_lost() -> None:
    async def scenario() -> None:
        stage = Stage(pause=0.1)
        for _ in range(3 * WAITING):
            stage.clients.put("a", b"x")
        await asyncio.sleep(9)
        assert len(stage.outs[0][1].sent) == WAITING
        await stage.clients.clear()

    on_the_clock(scenario())


def test_a_failure_is_told_and_the_next_datagram_begins_anew() -> None:
    async def scenario() -> None:
        for error in (DNSFailed("nobody knows it"), LinkTimeout("no answer")):
            stage = Stage(error)
            stage.clients.put("a", b"x")
            await asyncio.sleep(1)
            assert stage.failures == [error] and stage.outs[0][1].closed and len(stage.clients) == 0
            stage.clients.put("a", b"x")
            await asyncio.sleep(1)
            assert len(stage.outs) == 2
            await stage.clients.clear()

    on_the_clock(scenario())
