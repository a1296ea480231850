"""Callbacks that come in floods, are slow or raise: counted and bounded, and everything else on the board goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.agent_source import _fields
from bridge.errors import BridgeError, LuaError
from bridge.mirror.callback import WAITING_CALLS
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.modules.gpio import pins
from tests.campaigns.kept_board import KeptBoard, kept_board
from tests.campaigns.stage import BUILDS

EACH = pytest.mark.parametrize("build", BUILDS)
TWO = pytest.mark.parametrize("build", ["5.1 float", "5.3"])
#: Free heap, exactly: in mode ALWAYS the virtual board looks at each object instead of reckoning.
HEAP = """collectgarbage() collectgarbage()
if node.egc then node.egc.setmode(node.egc.ALWAYS, 4096) end
local free = node.heap()
if node.egc then node.egc.setmode(node.egc.ON_MEM_LIMIT, -10000) end
return free"""
#: Makes a function that counts its calls in COUNT and makes them.
COUNTED = "local f = ... COUNT = 0 F = function(...) COUNT = COUNT + 1 f(...) end"


async def calls_are_answered(bench: KeptBoard, seconds: float) -> float:
    """Call the board for some time; the longest that an answer took."""
    loop = asyncio.get_running_loop()
    end, longest = loop.time() + seconds, 0.0
    while loop.time() < end:
        began = loop.time()
        assert await bench.board.eval("...", 7, b"x") == (7, b"x")
        longest = max(longest, loop.time() - began)
        await asyncio.sleep(0.05)
    return longest


async def everything_is_counted(bench: KeptBoard, seen: list[Any]) -> None:
    """What Lua called is what arrived and what was dropped; a last call brings the count of what was dropped there."""
    await asyncio.sleep(2)
    await bench.board.exec("F('last')")
    await asyncio.sleep(1)
    assert seen[-1][-1] == b"last"
    assert len(seen) + bench.board.dropped_calls == await bench.board.eval("COUNT")


@TWO
def test_a_timer_of_a_millisecond(build: str) -> None:
    seen: list[Any] = []
    with kept_board(**BUILDS[build]) as bench:

        async def main() -> None:
            await bench.board.exec(COUNTED, lambda *values: seen.append(values))
            await bench.board.exec("T = tmr.create() T:alarm(1, tmr.ALARM_AUTO, function() F(COUNT) end)")
            assert await calls_are_answered(bench, 1.5) < 0.5
            await bench.board.exec("T:unregister()")
            assert len(seen) > 500 and bench.board.dropped_calls > 0
            assert [value for (value,) in seen] == sorted(value for (value,) in seen)
            await everything_is_counted(bench, seen)

        bench.run(main())
        # It is told when it begins, and then less and less often.
        assert 2 <= len(bench.faults) < 16 and "dropped" in bench.faults[0] and bench.errors == []
        assert bench.virtual.statistics.lowest_heap > 8000 and bench.board.last_reset is None


@TWO
def test_an_interrupt_of_a_kilohertz(build: str) -> None:
    seen: list[Any] = []
    with kept_board(**BUILDS[build]) as bench:

        async def drive(seconds: float) -> None:
            outside: Any = bench.virtual.chip.application
            for edge in range(int(seconds * 1000)):
                pins(outside.system).drive(1, edge % 2)
                await asyncio.sleep(0.001)

        async def main() -> None:
            await bench.board.exec(COUNTED, lambda *values: seen.append(values))
            await bench.board.exec("gpio.mode(1, gpio.INT) gpio.trig(1, 'both', F)")
            driving = asyncio.create_task(drive(1.5))
            assert await calls_are_answered(bench, 1.4) < 0.5
            await driving
            await bench.board.exec("gpio.trig(1, 'none')")
            assert all(len(values) == 3 for values in seen)
            await everything_is_counted(bench, seen)

        bench.run(main())
        assert bench.errors == [] and bench.board.last_reset is None


def test_a_flood_does_not_stop_a_socket() -> None:
    page = b"page" * 5000

    async def server(stream: MemoryStream) -> None:
        stream.write(page)
        await stream.drain()
        stream.close()

    with kept_board() as bench:

        async def main() -> None:
            network = bench.virtual.network
            assert isinstance(network, MemoryNetwork)
            network.serve("10.77.0.1", 80, server)
            await bench.board.exec(
                "local f = ... T = tmr.create() T:alarm(1, tmr.ALARM_AUTO, function() f(tmr.now()) end)",
                lambda now: None,
            )
            got, ended = bytearray(), asyncio.Event()
            socket = await bench.board.net.createConnection()
            socket.on("receive", lambda socket, data: got.extend(data))
            socket.on("disconnection", lambda socket, code: ended.set())
            await socket.connect(80, "10.77.0.1")
            async with asyncio.timeout(60):
                await ended.wait()
            assert bytes(got) == page

        bench.run(main())
        assert bench.board.last_reset is None


@EACH
def test_sends_all_at_once_leave_no_queue_of_their_events(build: str) -> None:
    """Each send brings "sent", which waited behind all replies: the list of what waits took 12 KB, and kept them."""
    # How many values of events ever waited.
    watch = f"""local agent, line, feed = ..., {_fields()["line"]}, {_fields()["feed"]}
    local own = agent[feed]
    MOST = 0
    agent[feed] = function(...)
      MOST = math.max(MOST, #agent[line])
      return own(...)
    end"""
    with kept_board(**BUILDS[build]) as bench:

        async def main() -> None:
            network = bench.virtual.network
            assert isinstance(network, MemoryNetwork)

            async def sink(stream: MemoryStream) -> None:
                while await stream.read(2000):
                    pass

            network.serve("10.77.0.1", 80, sink)
            socket, connected = await bench.board.net.createConnection(), asyncio.Event()
            sent: list[object] = []
            socket.on("connection", lambda socket: connected.set())
            socket.on("sent", lambda socket: sent.append(socket))
            await socket.connect(80, "10.77.0.1")
            await connected.wait()
            link = bench.board._link
            assert link is not None
            await link.line.once(watch.encode(), 10)
            await asyncio.gather(*(socket.send(b"8 bytes!") for _ in range(300)))
            await asyncio.sleep(2)
            assert sent and 3 <= int(str(await bench.board.eval("MOST"))) < 120

        bench.run(main())
        assert bench.errors == [] and bench.faults == []


def test_callbacks_that_raise_are_each_told_and_stop_nothing() -> None:
    with kept_board() as bench:

        def broken(n: int) -> None:
            raise ValueError(f"call {n}")

        async def broken_later(n: int) -> None:
            await asyncio.sleep(0)
            raise KeyError(n)

        async def main() -> None:
            await bench.board.exec(
                "local f, g = ... node.task.post(function() for i = 1, 5 do f(i) g(i) end end)", broken, broken_later
            )
            assert await calls_are_answered(bench, 1.0) < 0.5

        bench.run(main())
        assert sorted(str(error) for error in bench.errors) == sorted(
            [f"call {n}" for n in range(1, 6)] + [str(n) for n in range(1, 6)]
        )
        assert bench.faults == []


def test_slow_callbacks_hold_up_only_themselves() -> None:
    done: list[int] = []
    with kept_board() as bench:

        async def slow(n: int) -> None:
            await asyncio.sleep(0.2)
            done.append(n)

        async def main() -> None:
            await bench.board.exec(
                "local f = ... local n = 0 T = tmr.create() T:alarm(5, tmr.ALARM_AUTO, function() n = n + 1 f(n) end)",
                slow,
            )
            assert await calls_are_answered(bench, 4.0) < 0.5
            await bench.board.exec("T:unregister()")
            assert bench.board.dropped_calls > 300
            await asyncio.sleep(0.2 * (WAITING_CALLS + 2))
            assert done == sorted(done) and len(done) < 300

        bench.run(main())
        (error,) = bench.errors
        assert f"{WAITING_CALLS} calls" in str(error)


@EACH
def test_lua_that_uses_up_the_heap_fails_alone(build: str) -> None:
    programs = [
        "local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end",
        "local s, t = ('x'):rep(5000), {} while true do t[#t + 1] = s .. #t end",
        "local function f() return {f()} end return f()",
        "local t = {} for i = 1, 1e9 - 1 do t[i] = i end"
        if build != "5.1 integer"
        else "local t={} while 1 do t={t} end",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
        "return ('y'):rep(30000), ('z'):rep(30000)",
        "local t = {} for i = 1, 2000 do t[i] = {i} end return t",
    ]
    with kept_board(**BUILDS[build]) as bench:

        async def main() -> None:
            board = bench.board
            socket = await board.net.createConnection()
            await board.eval("...", 1)
            left = []
            for _ in range(3):
                for program in programs:
                    with pytest.raises(BridgeError) as caught:
                        await board.exec(program, timeout=60)
                    print(program[:50], type(caught.value).__name__, caught.value)
                    assert type(caught.value).__name__ in ("BoardOutOfMemory", "LuaError", "BoardReset")
                    assert await board.eval("1 + 1") == 2
                    assert await socket.getpeer() == (None, None)
                left.append(await board.exec(HEAP))
            # After the first the host may have been asked for room, and has sent again what was let go.
            assert max(left[1:]) >= left[0] - 500, left

        bench.run(main())
        assert bench.board.last_reset is None and bench.errors == []


def test_a_sixth_client_waits_and_harms_nobody() -> None:
    with kept_board() as bench:

        async def main() -> None:
            network = bench.virtual.network
            assert isinstance(network, MemoryNetwork)
            accepted: list[Any] = []
            five = asyncio.Event()

            def accept(socket: Any) -> None:
                accepted.append(socket)
                if len(accepted) == 5:
                    five.set()

            server = await bench.board.net.createServer(300)
            await server.listen(8080, accept)
            streams = [await network.open_connection("10.77.0.2", 8080) for _ in range(5)]
            await five.wait()  # a SYN that meets the fifth handshake under way is answered
            sixth = asyncio.create_task(network.open_connection("10.77.0.2", 8080))
            await asyncio.sleep(3)
            assert len(accepted) == 5 and not sixth.done(), "stock ignores its SYN (recording net_server_many)"
            for number, socket in enumerate(accepted):
                await socket.send(b"%d" % number)
            assert [await stream.read_exactly(1) for stream in streams] == [b"%d" % number for number in range(5)]
            for socket in list(accepted):
                await socket.close()
            sixth.cancel()
            await asyncio.gather(sixth, return_exceptions=True)
            await asyncio.sleep(12)
            again = await network.open_connection("10.77.0.2", 8080)
            await asyncio.sleep(1)
            await accepted[-1].send(b"x")
            assert await again.read_exactly(1) == b"x"

        bench.run(main())
        assert bench.errors == [] and bench.faults == [] and bench.board.last_reset is None


def test_wrong_arguments_fail_alone() -> None:
    with kept_board() as bench:

        async def main() -> None:
            board = bench.board
            timer = await board.lua.tmr.create()
            for work in (
                timer.alarm(), timer.alarm(b"x", 1, print), timer.alarm(0, 0, print), timer.alarm(1, 9, print),
                timer.alarm(1000, 1, 5), timer.nothing(), board.lua.tmr.nothing(), board.lua.nothing.at.all(1),
                board.lua.gpio.write(99, 1), board.lua.gpio.write(), board.lua.node.task.post(9, print),
                board.lua.uart.setup(0, b"fast"), board.lua.file.open(None), board.lua.string.rep(), timer(1, 2),
            ):  # fmt: skip
                with pytest.raises(LuaError):
                    await work
            assert await board.eval("...", 3) == 3

        bench.run(main())
        assert bench.faults == [] and bench.errors == []


@EACH
def test_results_of_python_functions_come_back_into_lua(build: str) -> None:
    with kept_board(**BUILDS[build]) as bench:

        async def main() -> None:
            board = bench.board

            held: list[Any] = []

            async def heap_of(timer: Any) -> tuple[Any, int]:
                held.append(timer)
                return timer, await board.lua.node.heap()

            timer, heap, same = await board.exec(
                "local ask = ... local t = tmr.create() local u, heap = ask(t) return u, heap, rawequal(t, u)", heap_of
            )
            assert same is True and heap > 5000
            await timer.release()
            left = []
            for _ in range(3):
                for number in range(10):
                    assert (
                        await board.exec("local f, n = ... return f(n) + f(n)", lambda n: n + 1, number)
                        == 2 * number + 2
                    )
                left.append(await board.exec(HEAP))
            assert left[2] >= left[1] - 50 * 10, left  # each new function is kept until the boot ends

        bench.run(main())
        assert bench.errors == [] and bench.faults == []
