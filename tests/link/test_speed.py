"""The line becomes as fast as it bears, on virtual boards; and comes back from what it does not bear."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from bridge import agent, open_board
from bridge.errors import BoardReset, BridgeError, LinkError, LinkTimeout, PortError
from bridge.link import Link
from bridge.link.speed import LADDER
from bridge.ports.base import CONSOLE_BAUD, Port
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.virtual.port import VirtualPort
from tests.virtual_link import virtual_port


class BadAt:
    """A port whose bytes from the board are spoilt at some speeds; it may refuse others."""

    def __init__(self, port: Port, spoil: Callable[[int, bytes], bytes], refuse: int = 0) -> None:
        self._port, self._spoil, self._refuse = port, spoil, refuse

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    async def set_baud(self, baud: int) -> None:
        if baud == self._refuse:
            raise PortError(f"no {baud} baud here")
        await self._port.set_baud(baud)

    def set_receiver(self, receiver: Callable[[bytes], None] | None, lost: object = None) -> None:
        def through(data: bytes) -> None:
            assert receiver is not None
            if data := self._spoil(self._port.baud, data):
                receiver(data)

        self._port.set_receiver(through if receiver else None, lost)  # type: ignore[arg-type]


async def start(port: Port) -> Link:
    return await agent.start(port, rng=random.Random(1))


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("latency", [1.0, 16.0])
def test_a_good_line_runs_at_the_best_speed_and_its_console_has_its_own_again(lua: str, latency: float) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua, adapter_latency_ms=latency) as port:
            async with open_board(port, start=start) as board:
                assert port.baud == LADDER[0]
                assert await board.eval("2+3") == 5
            assert port.baud == CONSOLE_BAUD
            repl = Repl(port)
            assert await repl.line("=uart.getconfig(0)") == b"115200\t8\t0\t1"
            repl.release()

    clock.run(main())


def test_no_speeds_leave_the_line_alone() -> None:
    async def main() -> None:
        async with virtual_port() as port, open_board(port, start=start, speeds=()) as board:
            assert port.baud == CONSOLE_BAUD and await board.eval("1") == 1

    clock.run(main())


def test_a_speed_at_which_bytes_are_spoilt_is_left_for_one_at_which_they_are_not() -> None:
    rng = random.Random(3)

    def spoil(baud: int, data: bytes) -> bytes:
        return bytes(byte ^ (rng.random() < 0.05) for byte in data) if baud > 460_800 else data

    async def main() -> None:
        async with virtual_port() as port, open_board(BadAt(port, spoil), start=start) as board:  # type: ignore[arg-type]
            assert port.baud == 460_800
            assert await board.eval("...", b"x" * 1000) == b"x" * 1000

    clock.run(main())


def test_a_speed_at_which_nothing_comes_back_is_left_when_the_board_has_gone_back() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            deaf = BadAt(port, lambda baud, data: b"" if baud > CONSOLE_BAUD else data)
            async with open_board(deaf, start=start) as board:  # type: ignore[arg-type]
                assert port.baud == CONSOLE_BAUD
                assert await board.eval("uart.getconfig(0)") == (115_200, 8, 0, 1)

    clock.run(main())


def test_a_speed_that_the_adapter_refuses_is_passed_over() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            port_without = BadAt(port, lambda baud, data: data, refuse=921_600)
            async with open_board(port_without, start=start) as board:  # type: ignore[arg-type]
                assert port.baud == 460_800 and await board.eval("1") == 1

    clock.run(main())


def test_the_board_is_found_when_its_word_that_it_keeps_the_speed_is_lost() -> None:
    fast = 0.0

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def spoil(baud: int, data: bytes) -> bytes:
            # Everything arrives until the proof is done; then, for longer than the board waits, nothing does.
            nonlocal fast
            if baud > CONSOLE_BAUD:
                fast = fast or loop.time()
                if 0.06 < loop.time() - fast < 1.6:
                    return b""
            return data

        async with virtual_port() as port, open_board(BadAt(port, spoil), start=start) as board:  # type: ignore[arg-type]
            assert await board.eval("2+2") == 4
            assert await board.eval("(uart.getconfig(0))") == port.baud

    clock.run(main())


def test_a_reset_at_a_high_speed_is_noticed_and_the_speed_is_found_again() -> None:
    async def main() -> None:
        async with virtual_port() as port, open_board(port, start=start) as board:
            assert port.baud == LADDER[0]
            resets: list[BridgeError] = []
            board.on("reset", resets.append)
            loop = asyncio.get_running_loop()
            port.board.reset()
            began = loop.time()
            with pytest.raises((BoardReset, LinkTimeout)):
                await board.eval("1", timeout=None)
            assert await board.eval("2") == 2
            assert loop.time() - began < 6 and port.baud == LADDER[0]
            assert len(resets) == 1

    clock.run(main())


@pytest.mark.parametrize("baud", [*LADDER, 256_000])
def test_an_agent_left_behind_at_another_speed_gives_the_prompt_back(baud: int) -> None:
    async def main() -> None:
        async with virtual_port() as port:
            link = await start(port)
            assert await link.climb((baud,)) == baud
            port.set_receiver(None)
            # Its host has died; another one comes, and knows nothing. Its adapter may lack a speed.
            await port.set_baud(CONSOLE_BAUD)
            lacking = LADDER[0] if baud < LADDER[0] else 0
            other: Any = BadAt(VirtualPort(port.board), lambda _, data: data, refuse=lacking)
            async with open_board(other, start=start, speeds=()) as board:
                assert await board.eval("(uart.getconfig(0))") == CONSOLE_BAUD

    clock.run(main())


@pytest.mark.parametrize("baud", [CONSOLE_BAUD, LADDER[0]])
def test_an_agent_left_behind_with_sockets_gives_all_its_heap_back(baud: int) -> None:
    """As of a program that was killed: its ports can be listened on again, and nothing of it stays in the heap."""
    heap = "collectgarbage() collectgarbage() return node.heap()"

    async def main() -> None:
        async with virtual_port() as port:
            async with open_board(port, start=start, speeds=()) as board:
                before = await board.exec(heap)
            doomed = await open_board(port, start=start, speeds=(baud,))
            await doomed.start_server(lambda reader, writer: None, 8080)
            datagrams = await doomed.net.createUDPSocket()
            await datagrams.listen(5000)
            await doomed.net.createConnection()
            doomed._link._end(LinkError("killed"))  # type: ignore[union-attr]
            await port.set_baud(CONSOLE_BAUD)
            other = VirtualPort(port.board)
            async with open_board(other, start=start, speeds=()) as board:
                await board.exec(heap)
                await asyncio.sleep(1)
                assert await board.exec(heap) > before - 500
                await board.start_server(lambda reader, writer: None, 8080)
                await (await board.net.createUDPSocket()).listen(5000)

    clock.run(main())


@pytest.mark.parametrize("baud", LADDER)
def test_a_reset_at_a_high_speed_is_noticed_in_about_a_second(baud: int) -> None:
    async def main() -> None:
        async with virtual_port() as port, open_board(port, start=start, speeds=(baud,)) as board:
            loop = asyncio.get_running_loop()
            noticed: asyncio.Future[float] = loop.create_future()
            board.on("reset", lambda error: noticed.set_result(loop.time()))
            await asyncio.sleep(5.0)  # and nothing is under way
            port.board.reset()
            began = loop.time()
            assert await noticed - began < 1.3
            assert await board.eval("2") == 2 and port.baud == baud
            assert board.last_reset and board.last_reset.cause == "external reset"

    clock.run(main())


@pytest.mark.parametrize("baud", LADDER)
def test_what_a_busy_board_has_printed_is_not_taken_for_its_boot(baud: int) -> None:
    printed = "uart.write(0,string.char(200,1,255,7,130,0,199,255,254,200,1,255,7,130,0,199,255,254,213,0):rep(4))"
    busy = "node.task.post(2,function()tmr.delay(1500000)end)"

    async def main() -> None:
        async with virtual_port() as port, open_board(port, start=start, speeds=(baud,)) as board:
            resets: list[BridgeError] = []
            board.on("reset", resets.append)
            for _ in range(2):
                await board.exec(f"tmr.create():alarm(100,0,function(){printed}{busy}end)")
                await asyncio.sleep(0.2)
                assert await board.eval("6*7") == 42
            assert resets == [] and port.baud == baud

    clock.run(main())


def test_a_busy_board_on_a_bad_fast_line_is_not_given_up() -> None:
    busy = "local t = tmr.now() while tmr.now() - t < 1500000 do tmr.delay(2000) end return ..."

    async def main() -> None:
        async with virtual_port(flip=0.003, drop=0.002, seed=2) as port, open_board(port, start=start) as board:
            assert port.baud > CONSOLE_BAUD
            for number in range(4):
                assert await board.exec(busy, number, b"x" * 500) == (number, b"x" * 500)

    clock.run(main())


def test_a_reset_between_the_word_to_keep_the_speed_and_its_answer() -> None:
    class Watched(BadAt):
        def write(self, data: bytes) -> None:
            self._port.write(data)
            if b"unregister" in data and self._port.baud > CONSOLE_BAUD and not resets:
                resets.append(0.0)
                asyncio.get_running_loop().call_later(0.0008, virtual.reset)

    resets: list[float] = []

    async def main() -> None:
        nonlocal virtual
        async with virtual_port() as port:
            virtual = port.board
            loop = asyncio.get_running_loop()
            async with open_board(Watched(port, lambda baud, data: data), start=start) as board:  # type: ignore[arg-type]
                assert resets and await board.eval("(uart.getconfig(0))") == port.baud == LADDER[0]
                assert board.last_reset and board.last_reset.cause == "external reset"
                assert loop.time() < 5.0

    virtual: Any = None
    clock.run(main())


@pytest.mark.parametrize(
    ("words", "seconds"),
    [(b"getconfig", 0.026), (b"getconfig", 0.03), (b"return nil", 0.0)],
    ids=["before the change", "as it changes", "when the speed has just been kept"],
)
def test_a_reset_amid_a_change_of_speed_is_started_over_from_soon(words: bytes, seconds: float) -> None:
    class Watched(BadAt):
        def write(self, data: bytes) -> None:
            self._port.write(data)
            if words in data and not resets:
                resets.append(loop.time())
                loop.call_later(seconds, virtual.reset)

    resets: list[float] = []

    async def main() -> None:
        nonlocal loop, virtual
        loop = asyncio.get_running_loop()
        async with virtual_port() as port:
            virtual = port.board
            async with open_board(Watched(port, lambda baud, data: data), start=start) as board:  # type: ignore[arg-type]
                assert await board.eval("2+2") == 4 and port.baud == LADDER[0]
                # A tenth of a second until the prompt is there, and three from then on.
                assert resets and loop.time() - resets[0] < 3.1

    loop: Any = None
    virtual: Any = None
    clock.run(main())
