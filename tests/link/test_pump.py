import asyncio
import random

import pytest

from bridge.errors import BoardReset, BridgeError, LinkError, LinkTimeout, LocalProtocolError, LuaError, PortLost
from bridge.virtual import clock
from bridge.wire.values import Handle
from tests.virtual_link import virtual_link, virtual_port


def test_calls_chunks_and_errors() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            (heap,) = await link.call("node.heap")
            assert 5_000 < heap < 45_000
            assert await link.run_lua("return ..., 1 + 1", b"a\0b", None) == (b"a\0b", None)[:1] + (2,)
            assert await link.run_lua("local t = ... return t[1], t.x", {1: 5, "x": b"y"}) == (5, b"y")
            with pytest.raises(LuaError, match="boom"):
                await link.run_lua("error('boom')")
            with pytest.raises(LuaError, match="there is no nothing.here|nil value"):
                await link.call("nothing.here")
            with pytest.raises(LuaError, match="there is no node.fly"):
                await link.call("node.fly")
            assert (await link.call("node.heap"))[0] > 5_000
            with pytest.raises(LocalProtocolError):
                await link.call("os.exit() --")
            with pytest.raises(LocalProtocolError):
                await link.call("node.heap", object())
            (timer,) = await link.call("tmr.create")
            assert isinstance(timer, Handle)
            assert await link.call(":state", timer) == (None,)
            with pytest.raises(LuaError):
                await link.call(":fly", timer)

    clock.run(main())


def test_many_calls_at_once_each_get_their_own_answer() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            await link.run_lua("function double(n) return 2 * n end")
            answers = await asyncio.gather(*(link.call("double", n, timeout=60) for n in range(600)))
            assert answers == [(2 * n,) for n in range(600)]

    clock.run(main())


def test_python_functions_are_called_by_lua() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            called: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
            await link.run_lua(
                "local f = ... tmr.create():alarm(50, tmr.ALARM_SINGLE, function() f('tick', 3) end) f(1)",
                lambda *values: called.put_nowait(values),
            )
            assert await called.get() == (1,)
            assert await called.get() == (b"tick", 3)

    clock.run(main())


def test_prints_are_console_text_and_agents_faults_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with virtual_link() as link:
            texts, faults = [], []
            link.on_console, link.on_fault = texts.append, faults.append
            await link.run_lua("print('hello', 5) uart.write(0, 'no end')")
            link.post("error", "pwd='hunter22' in vain")
            await asyncio.sleep(0.5)  # three rooms travel first
            assert b"".join(texts) == b"hello\t5\r\nno end"
            assert len(faults) == 1 and faults[0].endswith("pwd='hunter22' in vain")
            assert "pwd='********' in vain" in caplog.text and "hunter22" not in caplog.text

    clock.run(main())


@pytest.mark.parametrize("printed", ["print('late')", "uart.write(0, 'half a line')"])
def test_what_is_printed_on_an_idle_link_is_told_at_once(printed: str) -> None:
    async def main() -> None:
        async with virtual_link() as link:
            loop = asyncio.get_running_loop()
            told: asyncio.Queue[bytes] = asyncio.Queue()
            link.on_console = told.put_nowait
            await link.run_lua(f"tmr.create():alarm(2000, 0, function() {printed} end)")
            began = loop.time()
            assert await told.get() in (b"late\r\n", b"half a line")
            assert loop.time() < began + 2.3

    clock.run(main())


def test_a_call_that_takes_too_long_is_given_up_and_its_late_answer_harms_nobody() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            await link.run_lua("function slow() tmr.delay(400000) return tmr.create() end")
            with pytest.raises(LinkTimeout, match="slow"):
                await link.call("slow", timeout=0.2)
            assert await link.run_lua("return 5") == (5,)

    clock.run(main())


def test_an_object_that_comes_in_the_moment_in_which_it_is_given_up_is_let_go() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            await link.call("tmr.create")  # with its room
            call = await link.begin("tmr.create", ())
            waiting = asyncio.create_task(link.finish(call))
            # Before the task that waits runs again.
            call.future.add_done_callback(lambda done: waiting.cancel())
            await asyncio.wait([waiting])
            assert waiting.cancelled() and not call.future.cancelled()
            assert link._receivers.releases == 1

    clock.run(main())


def test_a_socket_of_the_board_moves_data_both_ways() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            network = link._port.board.network  # type: ignore[attr-defined]
            page = random.Random(1).randbytes(20_000)

            async def serve(stream: object) -> None:
                got = b""
                while not got.endswith(b"\n"):
                    got += await stream.read(100)  # type: ignore[attr-defined]
                stream.write(got + page)  # type: ignore[attr-defined]
                stream.close()  # type: ignore[attr-defined]

            network.serve("10.77.0.1", 80, serve)
            (socket,) = await link.call("@net.socket")
            events: list[str] = []
            got = bytearray()
            ended = asyncio.Event()

            def on_event(name: str, values: tuple[object, ...]) -> None:
                events.append(name)
                if name == "receive":
                    got.extend(values[0])  # type: ignore[arg-type]
                    link.grant(socket, len(values[0]))  # type: ignore[arg-type]
                if name == "disconnection":
                    ended.set()

            link.subscribe(socket, on_event)
            await link.call(":connect", socket, 80, "10.77.0.1")
            await asyncio.sleep(0.2)
            await link.call("@net.send", socket, b"hello\n")
            await asyncio.wait_for(ended.wait(), 30)
            assert bytes(got) == b"hello\n" + page
            assert events[0:2] == ["dns", "connection"] and "sent" in events
            with pytest.raises(LuaError):
                await link.call("@net.send", socket, b"too late")
            link.release(socket)
            with pytest.raises(LuaError, match="stale handle"):
                await link.call(":getpeer", socket)

    clock.run(main())


def test_a_server_of_the_board_accepts_and_loses_no_event() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            network = link._port.board.network  # type: ignore[attr-defined]
            (server,) = await link.call("@net.server", "30")
            accepted: asyncio.Queue[Handle] = asyncio.Queue()
            link.subscribe(server, lambda name, values: accepted.put_nowait(values[0]))
            await link.call("@net.listen", server, 8080, None)
            stream = await network.open_connection("10.77.0.2", 8080)
            stream.write(b"first words")
            client = await accepted.get()
            await asyncio.sleep(1.0)  # its data has come long before anybody subscribes
            events: list[tuple[str, tuple[object, ...]]] = []
            link.subscribe(client, lambda name, values: events.append((name, values)))
            assert ("receive", (b"first words",)) in events
            await link.call("@net.send", client, b"answer")
            assert await stream.read(100) == b"answer"
            await link.call("@net.close", client)
            link.release(client)
            link.release(server)
            await link.call("node.heap")

    clock.run(main())


def test_a_reset_ends_the_link_once_with_its_cause() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            downs: list[BridgeError] = []
            link.on_down = downs.append
            waiting = asyncio.ensure_future(link.run_lua("tmr.delay(100) return 1", timeout=None))
            await waiting
            pending = asyncio.ensure_future(link.call("@net.close", Handle(99), timeout=None))
            link._port.board.reset()  # type: ignore[attr-defined]
            with pytest.raises((BoardReset, LuaError)):
                await pending
            await asyncio.sleep(8)
            assert len(downs) == 1 and isinstance(downs[0], BoardReset | LinkTimeout)
            with pytest.raises(type(downs[0])):
                await link.call("node.heap")
            link.release(Handle(1))
            await link.close()

    clock.run(main())


def test_an_unplugged_board_fails_what_waits() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            pending = asyncio.ensure_future(link.run_lua("tmr.delay(2000000)", timeout=None))
            await asyncio.sleep(0.1)
            link._port.board.unplug()  # type: ignore[attr-defined]
            with pytest.raises(PortLost):
                await pending
            assert isinstance(link.down, PortLost)
            await link.close()

    clock.run(main())


@pytest.mark.parametrize("echo", [True, False])
def test_closing_gives_the_prompt_back_as_it_was(echo: bool) -> None:
    async def main() -> None:
        async with virtual_port(echo=echo) as port:
            from bridge import agent
            from bridge.repl import Repl

            repl = Repl(port)
            await repl.sync()
            before = await repl.line("=uart.getconfig(0)")
            repl.release()
            link = await agent.start(port, rng=random.Random(1))
            await link.run_lua("kept = 5")
            await link.close()
            with pytest.raises(LinkError):
                await link.call("node.heap")
            repl = Repl(port)
            assert await repl.line("=uart.getconfig(0)") == before
            assert await repl.line("=kept") == b"5"
            assert await repl.line("=_nb") == b"nil"
            repl.forget()
            repl.write(b"=1\r")
            await asyncio.sleep(0.1)
            assert repl.received == (b"=1\r\n1\r\n> " if echo else b"1\r\n> ")

    clock.run(main())
