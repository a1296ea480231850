"""UDP sockets as Lua sees them."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines, on_network


def test_send_calls_sent_before_it_returns_and_binds_from_4096() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        port = network.udp(PEER, 9000)
        await bench.type('k=net.createUDPSocket() k:on("receive",function(s,d,p,ip) print("URX",s==k,#d,p,ip) end)')
        said = await lines(bench, f'k:send(9000,"{PEER}","first",function(s) print("cb",s==k) end) print("after")')
        assert said == ["cb\ttrue", "after"]
        data, (ip, sender) = await port.receive()
        assert (data, ip, sender) == (b"first", "10.77.0.2", 4096)
        for size in (5, 1472, 1473):  # the last does not fit into a frame, and nobody puts fragments together
            port.send(b"x" * size, ip, sender)
        assert (await bench.read()).split("\r\n")[:-1] == [f"URX\ttrue\t{n}\t9000\t{PEER}" for n in (5, 1472)]

    on_network(test)


def test_a_port_is_bound_once() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("k=net.createUDPSocket() k:listen(5000) k2=net.createUDPSocket()")
        assert await lines(bench, "=pcall(k2.listen,k2,5000)") == ["false\taddress in use"]
        assert await lines(bench, "=pcall(k.listen,k,5001)") == ["false\talready listening"]
        await bench.type("k:close()")
        assert await lines(bench, "=k:getaddr()") == ["nil\tnil"]
        assert await lines(bench, "=pcall(k2.listen,k2,5000)") == ["true"]

    on_network(test)


def test_wrong_arguments() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("k=net.createUDPSocket()")
        for line, text in {
            "k:send()": "bad argument #1 to 'send' (number expected, got no value)",
            "k:send(0,'10.77.0.1','x')": "need port",
            "k:send(9,'foo','x')": "invalid IP address",
            "k:send(9,'10.77.0.1')": "bad argument #3 to 'send' (string expected, got no value)",
            "k:send(9,'10.77.0.1','')": "no data to send",
            "k:on('connection',print)": "invalid callback name",
            "k:connect(1,'x')": "attempt to call method 'connect' (a nil value)",
            "k:close()": "not connected",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line

    on_network(test)


def test_an_error_in_receive_is_a_panic() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type("k=net.createUDPSocket() k:listen(5000) k:on('receive',function() error('oh') end)")
        network.udp(PEER, 9000).send(b"x", "10.77.0.2", 5000)
        assert "PANIC: unprotected error in call to Lua API (stdin:1: oh)" in await bench.read(6)

    on_network(test)
