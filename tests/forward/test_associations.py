from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bridge.errors import DNSFailed, LinkTimeout
from bridge.forward.associations import (
    ANSWER,
    MOST,
    QUEUE,
    QUEUE_EACH,
    WAITING,
    Association,
    Associations,
    Outlet,
)
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
        stage.associations["a"].answered()
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


def test_the_longest_silent_client_gives_way_when_it_has_its_answer_or_had_the_time() -> None:
    async def scenario() -> None:
        stage = Stage()
        for number in range(MOST):
            stage.clients.put(str(number), b"x")
            await asyncio.sleep(0.01)
        stage.clients.put("0", b"y")
        stage.clients.put("new", b"x")
        stage.clients.put("newer", b"x")
        stage.clients.put("new", b"y")
        await asyncio.sleep(ANSWER / 2)
        assert len(stage.clients) == MOST and not any(out.closed for _, out in stage.outs)
        stage.associations["5"].answered()
        await asyncio.sleep(ANSWER / 4)
        assert [client for client, out in stage.outs if out.closed] == ["5"]
        assert stage.outs[-1][0] == "new" and stage.outs[-1][1].sent == [b"x", b"y"]
        await asyncio.sleep(ANSWER / 2)
        assert [client for client, out in stage.outs if out.closed] == ["1", "5"] and stage.outs[-1][0] == "newer"
        await stage.clients.clear()
        assert all(out.closed for _, out in stage.outs) and len(stage.clients) == 0

    on_the_clock(scenario())


def test_so_many_wait_and_no_more() -> None:
    async def scenario() -> None:
        stage = Stage()
        for number in range(MOST + 3 * QUEUE):
            for _ in range(3 * QUEUE_EACH):
                stage.clients.put(str(number), b"x")
        await asyncio.sleep(60)
        assert [client for client, _ in stage.outs] == [str(number) for number in range(MOST + QUEUE)]
        assert {len(out.sent) for _, out in stage.outs[MOST:]} == {QUEUE_EACH}
        assert all(out.closed for _, out in stage.outs) and len(stage.clients) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    on_the_clock(scenario())


def test_after_the_end_nobody_begins() -> None:
    async def scenario() -> None:
        stage = Stage()
        for number in range(2 * MOST):
            stage.clients.put(str(number), b"x")
        await asyncio.sleep(0.1)
        clearing = asyncio.ensure_future(stage.clients.clear())
        await asyncio.sleep(0)
        stage.clients.put("late", b"x")
        await clearing
        stage.clients.put("later", b"x")
        assert asyncio.all_tasks() == {asyncio.current_task()} and len(stage.outs) == MOST
        assert all(out.closed for _, out in stage.outs)

    on_the_clock(scenario())


def test_a_datagram_that_comes_in_the_moment_in_which_the_client_is_forgotten_is_passed_on() -> None:
    async def scenario() -> None:
        stage = Stage()
        loop = asyncio.get_running_loop()
        for late in (-1e-6, 0.0, 1e-6):
            stage.clients.put("a", b"1")
            await asyncio.sleep(0)
            loop.call_at(stage.associations["a"].last + 10.0 + late, stage.clients.put, "a", b"2")
            await asyncio.sleep(30)
            assert [data for _, out in stage.outs for data in out.sent] == [b"1", b"2"]
            stage.outs.clear()

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


def test_a_datagram_that_cannot_be_sent_is_told_and_the_next_one_goes_the_same_way() -> None:
    async def scenario() -> None:
        stage = Stage(LinkTimeout("no answer"))
        for _ in range(2):
            stage.clients.put("a", b"x")
        await asyncio.sleep(1)
        [(_, out)] = stage.outs
        assert len(stage.failures) == 2 and not out.closed and len(stage.clients) == 1
        await stage.clients.clear()

    on_the_clock(scenario())


def test_where_there_is_no_way_that_is_told_and_the_next_datagram_begins_anew() -> None:
    async def scenario() -> None:
        failures: list[Exception] = []
        error = DNSFailed("nobody knows it")

        async def opening(client: str, association: Association) -> Outlet:
            raise error

        clients: Associations[str] = Associations(opening, 10.0, failures.append)
        for _ in range(2):
            clients.put("a", b"x")
            await asyncio.sleep(1)
            assert len(clients) == 0
        assert failures == [error] * 2
        await clients.clear()

    on_the_clock(scenario())
