"""Name lookups as Lua sees them."""

from __future__ import annotations

import asyncio

from bridge.virtual.lwip import dns_message
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.memnet import MemoryDatagrams, MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines, on_network

R = 't=tmr.now() function r(...) print("R",...) end'


def test_resolving_names_and_addresses() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        network.zone.update({"ok.test": PEER, "multi.test": ["10.77.0.7", "10.77.0.9"], "empty.test": "empty"})
        await bench.type(R)
        for name, said in {
            "ok.test": ["after", f"R\tnil\t{PEER}"],
            "multi.test": ["after", "R\tnil\t10.77.0.7"],
            "empty.test": ["after", "R\tnil\tnil"],
            "10.1.2.3": ["R\tnil\t10.1.2.3", "after"],
            "1.2": ["R\tnil\t1.0.0.2", "after"],
        }.items():
            assert await lines(bench, f'net.dns.resolve("{name}",r) print("after")') == said

    on_network(test)


def test_a_name_that_does_not_exist_fails_by_timeout_and_the_connect_after_it_too() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        said = await lines(bench, 'sk=mk() sk:connect(7001,"nx.test") print(sk:getpeer())', 18)
        assert said == ["7001\t0.0.0.0", "EV dns\tnil", "EV reconnection\t-8"]

    on_network(test)


def test_four_lookups_at_most() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        await bench.type(R)
        said = await lines(bench, 'for i=1,5 do print(i,pcall(net.dns.resolve,"nx"..i,r)) end', 10)
        assert said == [f"{i}\ttrue" for i in range(1, 5)] + ["5\tfalse\tout of memory"] + ["R\tnil\tnil"] * 4

    on_network(test)


async def answer_later(port: MemoryDatagrams, delays: dict[bytes, tuple[float, str]]) -> None:
    """A name server that takes its time, different for each name."""
    loop = asyncio.get_running_loop()
    while True:
        query, (ip, sender) = await port.receive()
        delay, address = delays[dns_message.asked_name(query) or b""]
        loop.call_later(delay, port.send, dns_message.respond(query, [from_dotted(address)]), ip, sender)


def test_of_parallel_lookups_only_the_answer_to_the_last_query_counts() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        server = asyncio.ensure_future(
            answer_later(network.udp(PEER, 53), {b"a.test": (0.1, "10.0.0.1"), b"b.test": (0.1, "10.0.0.2")})
        )
        await bench.type(R)
        both = 'for _,n in ipairs{"a","b"} do net.dns.resolve(n..".test",function(s,ip) r(n,ip,tmr.now()-t) end) end'
        said = await lines(bench, f"t=tmr.now() {both}", 5)
        assert [line.split("\t")[:3] for line in said] == [["R", "b", "10.0.0.2"], ["R", "a", "10.0.0.1"]]
        first, second = (int(line.split("\t")[3]) for line in said)
        assert first < 200_000 < second
        server.cancel()

    on_network(test)


def test_a_lookup_that_was_given_up_goes_on_beside_the_new_one() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        server = asyncio.ensure_future(
            answer_later(network.udp(PEER, 53), {b"old.test": (0.5, PEER), b"new.test": (1.5, "10.77.0.50")})
        )
        said = await lines(bench, 'sk=mk() sk:connect(7001,"old.test") sk:close() sk:connect(7001,"new.test")', 9)
        # Every retry asks for both; while both are asked for, only the answer for the name asked for last counts.
        assert said == ["EV dns\t10.77.0.50", f"EV dns\t{PEER}", "EV reconnection\t-8"]
        server.cancel()

    on_network(test)


def test_servers() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, "=net.dns.getdnsserver(),net.dns.getdnsserver(1),net.dns.getdnsserver(-1)") == [
            f"{PEER}\tnil\tnil"
        ]
        await bench.type('net.dns.setdnsserver("8.8.8.8",1)')
        assert await lines(bench, "=net.dns.getdnsserver(1)") == ["8.8.8.8"]
        for line, text in {
            "net.dns.getdnsserver(2)": "server index out of range [0-1]",
            'net.dns.setdnsserver("0.0.0.0")': "invalid dns server ip",
            'net.dns.setdnsserver("255.255.255.255")': "invalid dns server ip",
            "net.dns.resolve('x')": "bad argument #2 to 'resolve' (function expected, got no value)",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line

    on_network(test)
