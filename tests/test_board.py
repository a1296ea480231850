"""A board from the host's side: real agent, real Lua, the virtual board on the virtual clock."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Awaitable, Callable

import pytest

from bridge.board import Board
from bridge.errors import (
    BoardReset,
    BootLoop,
    BridgeError,
    LinkTimeout,
    LuaError,
    NotNodeMCU,
    PortLost,
    StaleHandle,
    UsageError,
)
from bridge.lifecycle import State
from bridge.link import Link
from bridge.opening import open_board
from bridge.ports.base import Port
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.same_epoch import start

Scenario = Callable[[Board, VirtualBoard], Awaitable[None]]


def on_a_board(scenario: Scenario, **options: object) -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as virtual:  # type: ignore[arg-type]
            await virtual.answered()
            port = VirtualPort(virtual)
            try:
                async with open_board(port, start=start) as board:
                    await scenario(board, virtual)
            finally:
                await port.close()

    clock.run(main())


def test_values_programs_and_console() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        printed: list[bytes] = []
        board.on("console", printed.append)
        assert await board.eval("1+1") == 2
        assert await board.eval("... .. 'x'", b"a\0\xff") == b"a\0\xffx"
        assert await board.eval("1, nil, 'three'") == (1, None, b"three")
        assert await board.exec("local a = ... print(a) return a * 2", 21) == 42
        assert await board.exec("x = 1") is None
        assert b"".join(printed) == b"21\r\n"
        assert await board.lua.node.heap() > 5000
        assert (board.facts.lua, board.state, board.url) == ("5.1", State.READY, "virtual:")
        with pytest.raises(LuaError, match="attempt to call"):
            await board.eval("nosuchfunction()")
        with pytest.raises(LuaError):
            await board.exec("this is not Lua")
        # Host data is a value and never source.
        assert await board.eval("...", "1) os.exit(") == b"1) os.exit("

    on_a_board(scenario)


def test_objects_and_python_functions_as_arguments() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        ticks: list[int] = []
        third = asyncio.Event()

        async def tick(timer: object) -> None:
            ticks.append(len(ticks))
            if len(ticks) == 3:
                third.set()

        timer = await board.lua.tmr.create()
        assert await timer.alarm(20, 1, tick) is True
        await third.wait()
        await timer.unregister()
        assert ticks[:3] == [0, 1, 2]
        add = await board.eval("function(a, b) return a + b end")
        assert await add(2, 3) == 5

    on_a_board(scenario)


def test_a_reset_fails_every_handle_with_its_cause_and_the_board_comes_back() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        causes: list[BoardReset] = []
        board.on("reset", causes.append)
        timer = await board.lua.tmr.create()
        waiting = asyncio.create_task(board.exec("return ...", 1))
        await waiting
        slow = asyncio.create_task(board.exec("local t = tmr.now() while tmr.now() - t < 500000 do end"))
        await asyncio.sleep(0.1)
        virtual.reset()
        with pytest.raises(BoardReset):
            await slow
        with pytest.raises(BoardReset):
            await timer.stop()
        # Calls made meanwhile wait for the board to come back.
        assert await board.eval("1+1") == 2
        assert board.state is State.READY and len(causes) == 1
        assert causes[0].port == "virtual:"
        assert board.last_reset is not None and board.last_reset.cause == "external reset"
        with pytest.raises((BoardReset, StaleHandle)):
            await board.eval("...", timer)

    on_a_board(scenario)


def test_reset_on_request() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        assert board.last_reset is None
        await board.exec("marker = 1")
        await board.reset()
        assert board.last_reset is not None and board.last_reset.cause == "software restart"
        assert await board.eval("marker") is None
        assert board.state is State.READY

    on_a_board(scenario)


def test_unplugged_in_the_middle() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        down: list[BridgeError] = []
        board.on("down", down.append)
        timer = await board.lua.tmr.create()
        call = asyncio.create_task(board.eval("1"))
        await asyncio.sleep(0)
        virtual.unplug()
        with pytest.raises(PortLost):
            await call
        for work in (board.eval("1"), timer.stop(), board.net.createConnection()):
            with pytest.raises(PortLost, match="virtual:"):
                await work
        assert board.state is State.LOST and len(down) == 1
        with pytest.raises(PortLost):
            board.facts  # noqa: B018

    on_a_board(scenario)


def test_closing_gives_the_prompt_back() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            for _ in range(2):
                async with open_board(port, start=start) as board:
                    timer = await board.lua.tmr.create()
                    assert await board.eval("1") == 1
                assert board.state is State.CLOSED
                await board.close()
                for work in (board.eval("1"), timer.stop()):
                    with pytest.raises(PortLost, match="has been closed"):
                        await work
            repl = Repl(port)
            assert await repl.line("=6*7") == b"42"
            repl.release()
            await port.close()

    clock.run(main())


def test_errors_in_handlers_go_to_the_error_handler(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        errors: list[tuple[BaseException, str]] = []

        async def bad(data: bytes) -> None:
            raise ValueError(data)

        board.on("console", bad)
        with caplog.at_level(logging.ERROR, "bridge.board"):
            await board.exec("print(1)")
            await asyncio.sleep(0)
        assert "console" in caplog.text
        board.on("error", lambda error, where: errors.append((error, where)))
        await board.exec("print(2)")
        await asyncio.sleep(0)
        assert [str(error) for error, _ in errors] == ["b'2\\r\\n'"]
        assert await board.eval("1") == 1
        board.on("console", None)
        with pytest.raises(UsageError, match="not an event of a board.*console"):
            board.on("konsole", print)

    on_a_board(scenario)


def test_a_board_needs_to_be_opened() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            port = VirtualPort(virtual)
            board = Board(port)
            with pytest.raises(UsageError, match="has not been opened"):
                await board.eval("1")
            await board.close()
            assert board.state is State.CLOSED
            await port.close()

    clock.run(main())


def test_a_board_that_never_comes_back_is_lost_after_some_tries() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            tries = 0

            async def once(port: Port) -> Link:
                nonlocal tries
                tries += 1
                if tries > 1:
                    raise BoardReset(cause="again", port=port.url)
                return await start(port)

            down = asyncio.Event()
            async with open_board(port, start=once) as board:
                board.on("down", lambda error: down.set())
                virtual.reset()
                await down.wait()
                assert tries == 4 and board.state is State.LOST
                with pytest.raises(BootLoop, match=r"again and again, 3 times .*\(again\)") as caught:
                    await board.eval("1")
                assert caught.value.cause == "again"
            await port.close()

    clock.run(main())


def test_a_board_that_goes_away_at_the_moment_it_is_ready_is_lost() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)

            async def unplugged(port: Port) -> Link:
                link = await start(port)
                virtual.unplug()
                return link

            async with open_board(port, start=unplugged) as board:
                assert board.state is State.LOST
                with pytest.raises(PortLost, match="unplugged"):
                    await board.eval("1")
            await port.close()

    clock.run(main())


def test_a_prompt_that_is_late_after_a_reset_is_waited_for_and_calls_keep_their_own_deadline() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            tries = 0

            async def late(port: Port) -> Link:
                nonlocal tries
                tries += 1
                if tries == 2:
                    await asyncio.sleep(5)
                    raise NotNodeMCU("Nothing answers at the Lua prompt", port=port.url)
                return await start(port)

            async with open_board(port, start=late) as board:
                restarted = asyncio.Event()
                board.on("reset", lambda error: restarted.set())
                virtual.reset()
                await restarted.wait()
                with pytest.raises(LinkTimeout, match="within 1 s"):
                    await board.eval("1", timeout=1)
                assert await board.eval("1") == 1 and tries == 3
            await port.close()

    clock.run(main())


def test_what_is_printed_is_shown_whatever_bytes_it_has() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        printed: list[bytes] = []
        board.on("console", printed.append)
        assert await board.exec(r'print("a\252") return 5') == 5
        assert b"".join(printed) == b"a\xfc\r\n"

    on_a_board(scenario)


def test_a_board_that_restarts_every_second_is_given_up_and_can_be_opened_when_it_no_longer_does() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            loop = asyncio.get_running_loop()
            port = VirtualPort(virtual)

            async def again_and_again() -> None:
                while True:
                    await asyncio.sleep(1.0)
                    virtual.reset()

            restarting = asyncio.create_task(again_and_again())
            await asyncio.sleep(0.5)
            began = loop.time()
            with pytest.raises(BootLoop, match="again and again, 3 times within 3 s.*power supply"):
                await open_board(port, start=start)
            assert loop.time() - began < 10.0
            restarting.cancel()
            async with open_board(port, start=start) as board:
                await board.eval("1")
                gone: list[weakref.ref[object]] = [weakref.ref(board._link), weakref.ref(board._table)]
                lost: asyncio.Future[BridgeError] = loop.create_future()
                board.on("down", lost.set_result)
                began = loop.time()
                restarting = asyncio.create_task(again_and_again())
                with pytest.raises((BoardReset, LinkTimeout)):
                    while True:
                        await board.eval("... .. 'x'", b"x" * 500)
                assert isinstance(await lost, BoardReset) and loop.time() - began < 15.0
                with pytest.raises(BoardReset):
                    await board.eval("1")
                assert board.state is State.LOST
                restarting.cancel()
            async with open_board(port, start=start) as board:
                assert await board.eval("2+2") == 4
            del lost  # an error keeps what it was raised in
            gc.collect()
            assert [one() for one in gone] == [None, None]  # of the lives before nothing is kept
            await port.close()

    clock.run(main())


def test_a_board_whose_console_speed_is_not_the_firmwares_is_lost_with_a_reason_when_it_restarts() -> None:
    async def main() -> None:
        async with VirtualBoard(VirtualOptions(clock="virtual")) as virtual:
            await virtual.answered()
            port = VirtualPort(virtual)
            repl = Repl(port)
            repl.write(b"uart.setup(0,74880,8,0,1)\r\n")
            await port.drain()
            repl.release()
            await port.set_baud(74_880)
            async with open_board(port, start=start, speeds=()) as board:
                causes: list[str | None] = []
                board.on("reset", lambda error: causes.append(error.cause))
                lost: asyncio.Future[BridgeError] = asyncio.get_running_loop().create_future()
                board.on("down", lost.set_result)
                virtual.reset()
                # The boot ROM speaks at this speed, the firmware then does not.
                error = await lost
                assert causes == ["rst cause 2"]
                assert isinstance(error, NotNodeMCU) and "at 74880 baud" in str(error)
                assert "115200" in str(error) and board.state is State.LOST
            await port.close()

    clock.run(main())


def test_the_prompt_is_free_while_the_agent_is_away() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        timer = await board.tmr.create()
        async with board.prompt() as port:
            found = Repl(port)
            await found.sync()
            assert await found.line("=1+1") == b"2"
            assert board.state is State.RESTARTING
            waiting = asyncio.ensure_future(board.eval("6*7"))
            await asyncio.sleep(1.0)
            assert not waiting.done()
            found.release()
        assert await waiting == 42
        with pytest.raises(BridgeError):
            await timer.state()

    on_a_board(scenario)


def test_a_program_that_fails_at_the_prompt_has_the_agent_back() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        with pytest.raises(KeyError):
            async with board.prompt():
                raise KeyError
        assert await board.eval("6*7") == 42

    on_a_board(scenario)


def test_what_a_board_says_of_its_end_goes_into_no_log_with_a_key_in_it(caplog: pytest.LogCaptureFixture) -> None:
    """The text of a PANIC is that of the program's own error."""

    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        back = asyncio.Event()
        board.on("ready", lambda *_: back.set())
        await board.exec("net.dns.resolve('nosuch.test', function() error('no network by pwd=\"hunter22\"') end)")
        await back.wait()
        assert board.last_reset is not None and 'pwd="hunter22"' in (board.last_reset.cause or "")

    with caplog.at_level(logging.DEBUG):
        on_a_board(scenario)
    assert "down" in caplog.text and "hunter22" not in caplog.text
