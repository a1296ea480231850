"""The net module's own functions."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network


def test_constants_and_objects() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, "=net.TCP,net.UDP,net.socket,net.cert") == ["1\t2\tnil\tnil"]
        # The arguments of createConnection are not read.
        assert await lines(bench, "=type(net.createConnection(net.UDP,1)),type(net.createUDPSocket())") == [
            "userdata\tuserdata"
        ]
        assert await lines(bench, "=net.createConnection().send==net.createConnection().send") == ["true"]

    on_network(test)


def test_ifinfo_tells_the_stations_addresses_in_the_order_of_the_board() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, "for k,v in pairs(net.ifinfo()) do print(k,#v) end") == [
            "hwaddr\t6",
            "gateway\t9",
            "netmask\t13",
            "ip\t9",
        ]
        assert await lines(bench, "=select('#',net.ifinfo(1)),select('#',net.ifinfo(2))") == ["0\t0"]
        assert "(number expected, got string)" in await bench.type("net.ifinfo('x')")

    on_network(test)


def test_multicast_arguments() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        for arguments, text in {
            "": "wrong arg type",
            "'x'": "invalid if ip",
            "'any'": "wrong arg type",
            "'ANY','1.2.3'": "invalid multicast ip",
            "{},'224.0.0.5'": "wrong arg type",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(f"net.multicastJoin({arguments})")
        assert await lines(bench, "=pcall(net.multicastLeave,'','224.0.0.5')") == ["true"]

    on_network(test)


def test_without_an_address_there_is_no_route() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, "for k,v in pairs(net.ifinfo()) do print(k) end") == ["hwaddr"]
        await bench.type("k=net.createUDPSocket()")
        assert await lines(bench, "=pcall(k.send,k,9,'10.77.0.1','x')") == ["false\trouting problem"]
        # A connect then never ends, and says nothing.
        assert await lines(bench, "sk=mk() sk:connect(80,'10.77.0.1')", 20) == ["EV dns\t10.77.0.1"]
        assert await lines(bench, "=pcall(sk.send,sk,'x')") == ["false\tnot connected"]

    on_network(test, wifi="off")


def test_2x_takes_a_type_first_and_has_no_ifinfo() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, "=net.ifinfo,net.ping,net.TCP,net.UDP") == ["nil\tnil\t1\t2"]
        assert await lines(bench, "=pcall(net.createServer,30)") == ["false\tinvalid type"]
        assert await lines(bench, "=net.createServer(net.TCP,30).listen~=nil,net.createServer().listen~=nil") == [
            "true\ttrue"
        ]
        assert await lines(bench, "=net.createConnection(net.UDP,0).connect") == [
            "Warning, deprecated API! net.createConnection with net.UDP type. It will be removed in next version. "
            "See documentation for details.",
            "nil",
        ]
        assert (await lines(bench, "=net.createServer(net.UDP)"))[0].startswith(
            "Warning, deprecated API! net.createServer with net.UDP type."
        )
        assert (await lines(bench, "=pcall(net.createConnection,net.TCP,1)"))[1:] == [
            "false\tsecure connections not enabled"
        ]
        assert await lines(bench, "sk=mk() sk:connect(7001,'10.77.0.1')", 2.0) == [
            "EV dns\t10.77.0.1",
            "EV connection",
        ]

    on_network(test, firmware="2.2.1")
