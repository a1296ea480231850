"""TCP servers as Lua sees them."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network

NODE = "10.77.0.2"
ACCEPT = (
    'sv=net.createServer(30) sv:listen(8080,function(c) C=c print("ACC",c:getpeer())'
    ' c:on("receive",function(s,d) print("RX",s==C,type(s),d) end)'
    ' c:on("disconnection",function(s,e) print("disc",type(s),e) end) end)'
)


def test_accept_receive_and_the_peers_close() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type(ACCEPT)
        stream = await network.open_connection(NODE, 8080)
        assert (await bench.read()).strip() == f"ACC\t{stream.local[1]}\t10.77.0.1"
        stream.write(b"hello")
        assert (await bench.read()).strip() == "RX\ttrue\tuserdata\thello"
        assert await bench.answer("=C:getaddr()") == f"8080\t{NODE}"
        stream.close()
        assert (await bench.read()).strip() == "disc\tuserdata\t0"

    on_network(test)


def test_a_connection_handler_set_while_accepting_is_called_at_once() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type('sv=net.createServer() sv:listen(8080,function(c) c:on("connection",ev("connection")) end)')
        await network.open_connection(NODE, 8080)
        assert (await bench.read()).strip() == "EV connection"

    on_network(test)


def test_errors_under_a_custom_onerror_give_later_sockets_a_wrong_self() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("node.setonerror(function(e) end)")
        await bench.type(ACCEPT)
        await bench.type('tmr.create():alarm(10,tmr.ALARM_SINGLE,function() error("leak") end)', 0.5)
        stream = await network.open_connection(NODE, 8080)
        await bench.read()
        stream.write(b"hello")
        assert (await bench.read()).strip() == "RX\tfalse\tfunction\thello"

    on_network(test)


def test_closing_inside_accept_sends_a_fin() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type('sv=net.createServer() sv:listen(8080,function(c) print("ACC") c:close() end)')
        stream = await network.open_connection(NODE, 8080)
        assert await stream.read() == b""
        assert (await bench.read()).strip() == "ACC"
        assert await bench.answer("=1") == "1"

    on_network(test)


def test_an_error_inside_accept_is_a_panic() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("sv=net.createServer() sv:listen(8080,function(c) c:close() c:send('x') end)")
        await network.open_connection(NODE, 8080)
        assert "PANIC: unprotected error in call to Lua API (stdin:1: not connected)" in await bench.read(6)

    on_network(test)


def test_a_port_is_listened_on_once_and_free_again_after_close() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type(ACCEPT)
        assert await lines(bench, "s2=net.createServer() print(pcall(s2.listen,s2,8080,print))") == [
            "false\tout of memory"
        ]
        assert await lines(bench, "print(pcall(sv.listen,sv,8081,print))") == ["false\talready listening"]
        assert await lines(bench, "=pcall(s2.close,s2)") == ["false\tnot connected"]
        await bench.type("sv:close()")
        assert await lines(bench, "=pcall(s2.listen,s2,8080,print)") == ["true"]
        assert await lines(bench, "=s2:getaddr()") == ["8080\t0.0.0.0"]

    on_network(test)


def test_wrong_arguments() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("s=net.createServer()")
        for line, text in {
            "s:listen()": "need callback",
            "s:listen(80,'x',print)": "invalid IP address",
            "s:listen(8081,'0.0.0.0',5)": "need callback",
            "s.listen(net.createConnection(),80,print)": "invalid user data",
            "s.close()": "invalid user data",
            "net.createServer('x')": "bad argument #1 to 'createServer' (number expected, got string)",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line
        assert await lines(bench, "s:listen('8081',print) print(s:getaddr())") == ["8081\t0.0.0.0"]

    on_network(test)
