"""TCP sockets as Lua sees them; what was recorded is also played in tests/ground_truth."""

from __future__ import annotations

import asyncio

from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines, on_network, sink

CONNECT = f'sk=mk() sk:connect(7001,"{PEER}")'


def test_connect_and_send_work_before_the_connection_event() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        said = await lines(bench, f'sk=mk() sk:connect(7001,"{PEER}") print(pcall(sk.send,sk,"early"))')
        assert said == [f"EV dns\t{PEER}", "true", "EV connection", "EV sent", "EV receive\t5\tearly"]

    on_network(test)


def test_a_reset_of_the_peer_is_a_reconnection_with_minus_nine() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        async def rude(stream: MemoryStream) -> None:
            await stream.read(1)
            stream.abort()

        network.serve(PEER, 7001, rude)
        await bench.type(CONNECT, 0.5)
        assert await lines(bench, 'sk:send("x")') == ["EV sent", "EV reconnection\t-9"]
        await bench.type("sk=net.createConnection() sk:on('disconnection',ev('only'))")
        assert await lines(bench, f'sk:connect(7001,"{PEER}",function(c) c:send("x") end)') == ["EV only\t-9"]
        assert await lines(bench, '=pcall(sk.send,sk,"y")') == ["false\tnot connected"]

    on_network(test)


def test_closing_inside_receive_resets_and_loses_what_was_just_sent() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        seen: list[object] = []

        async def peer(stream: MemoryStream) -> None:
            stream.write(b"go")
            try:
                seen.append(await stream.read())
            except ConnectionResetError:
                seen.append("reset")

        network.serve(PEER, 7001, peer)
        await bench.type('sk=mk() sk:on("receive",function(c,d) c:send("answer") c:close() end)')
        assert await lines(bench, f'sk:connect(7001,"{PEER}")', 1) == [f"EV dns\t{PEER}", "EV connection"]
        assert seen == ["reset"]
        seen.clear()
        await bench.type('sk=mk() sk:on("receive",function(c,d) c:send("answer",function(c) c:close() end) end)')
        await bench.type(f'sk:connect(7001,"{PEER}")', 1)
        assert seen == [b"answer"]

    on_network(test)


def test_reconnecting_inside_the_disconnection_event_makes_a_zombie() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        opened = []

        async def short(stream: MemoryStream) -> None:
            opened.append(stream)
            await asyncio.sleep(0.2)

        network.serve(PEER, 7001, short)
        await bench.type('n=0 sk=mk() sk:on("disconnection",function(c,e) n=n+1 print("disc",e)')
        await bench.type(f'if n<3 then print(pcall(c.connect,c,7001,"{PEER}")) end end)')
        said = await lines(bench, f'sk:connect(7001,"{PEER}")', 2)
        assert said == [f"EV dns\t{PEER}", "EV connection", "disc\t0", f"EV dns\t{PEER}", "true"]
        assert len(opened) == 2

    on_network(test)


def test_send_takes_what_fits_and_refuses_the_rest_whole() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        network.serve(PEER, 7001, sink)
        await bench.type(CONNECT)
        said = await lines(bench, 'for i=1,4 do print(i,pcall(sk.send,sk,("m"):rep(1000))) end', 1)
        assert said == [
            "1\ttrue",
            "2\ttrue",
            "3\tfalse\tout of memory",
            "4\tfalse\tout of memory",
            "EV sent",
            "EV sent",
        ]
        assert await lines(bench, '=pcall(sk.send,sk,"")') == ["false\tno data to send"]

    on_network(test)


def test_a_peer_that_reads_slowly_holds_the_sent_event_back() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        go = asyncio.Event()
        got: list[bytes] = []

        async def slow(stream: MemoryStream) -> None:
            await go.wait()
            got.append(await stream.read())

        network.serve(PEER, 7001, slow, receive_buffer=2000)
        await bench.type("N=0 function pump(c) while pcall(c.send,c,('x'):rep(500)) do N=N+1 end end")
        await bench.type('sk=net.createConnection() sk:on("sent",pump) sk:on("connection",pump)')
        await bench.type(f'sk:connect(7001,"{PEER}")', 3)
        stuck = int(await bench.answer("=N"))
        assert 2000 // 500 <= stuck <= (2000 + 2920) // 500 + 1
        go.set()
        await asyncio.sleep(10)
        assert int(await bench.answer("=N")) > stuck + 10
        await bench.type("sk:on('sent',function(c) c:close() end) sk:send('end')", 3)

    on_network(test)


def test_hold_lets_one_window_in_and_unhold_the_rest() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        async def source(stream: MemoryStream) -> None:
            stream.write(b"z" * 20000)
            await stream.read(1)

        network.serve(PEER, 7001, source)
        await bench.type('n=0 sk=mk() sk:on("receive",function(c,d) n=n+#d end)')
        await bench.type(f'sk:on("connection",function(c) c:hold() end) sk:connect(7001,"{PEER}")', 2)
        assert await bench.answer("=n") == "5840"
        await bench.type("sk:unhold()", 1)
        assert await bench.answer("=n") == "20000"

    on_network(test)


def test_a_socket_nobody_holds_is_collected_and_resets_its_peer() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        ends: list[object] = []

        async def watch(stream: MemoryStream) -> None:
            try:
                ends.append(await stream.read())
            except ConnectionResetError:
                ends.append("reset")

        network.serve(PEER, 7001, watch)
        # A connected socket refers to itself; only when it dropped that can the collector have it.
        await bench.type(f'do local c=mk() c:connect(7001,"{PEER}") end collectgarbage()', 0.6)
        await bench.type("collectgarbage()", 2)
        assert ends == []
        await bench.type('c=mk() c:on("disconnection",function(c) end)')
        network.serve(PEER, 7002, short_lived)
        await bench.type(f'c:connect(7002,"{PEER}")', 1)
        free = int(await bench.answer("collectgarbage() collectgarbage() print(node.heap())"))
        await bench.type("c=nil")
        assert int(await bench.answer("collectgarbage() collectgarbage() print(node.heap())")) >= free

    async def short_lived(stream: MemoryStream) -> None:
        await asyncio.sleep(0.1)

    on_network(test)


def test_an_error_in_a_callback_is_a_panic() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type('sk=mk() sk:on("connection",function(c) error("in connection") end)')
        said = await bench.type(f'sk:connect(7001,"{PEER}")', 6)
        assert "PANIC: unprotected error in call to Lua API (stdin:1: in connection)\r\n" in said
        assert len(bench.resets) == 1

    on_network(test)


def test_wrong_arguments() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("c=net.createConnection()")
        for line, text in {
            "c:connect(0,'x')": "specify port",
            "c:connect(65536,'x')": "specify port",
            "c:connect('x')": "bad argument #1 to 'connect' (number expected, got string)",
            "c:connect(80,'10.77.0.1',5)": "bad argument #3 to 'connect' (not a function)",
            "c:on('receive')": "invalid callback function",
            "c:on('foo',print)": "invalid callback name",
            "c.send(1,'x')": "invalid user data",
            "c.send(net.createServer(),'x')": "invalid user data",
            "c:ttl()": "socket is not open/bound yet",
            "c:dns('x')": "no callback specified",
            "c:close()": "not connected",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line

    on_network(test)
