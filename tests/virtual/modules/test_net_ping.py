"""net.ping."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines, on_network


def test_a_host_answers_once_a_second_and_the_sum_is_told_at_the_end() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        said = await lines(bench, f'net.ping("{PEER}",2,print,function(...) print("sum",...) end)', 4)
        assert said[:2] == [f"32\t{PEER}\t1\t2", f"32\t{PEER}\t2\t2"]
        assert said[2].startswith(f"sum\t{PEER}\t2\t0\t64\t")

    on_network(test)


def test_nobody_answers_from_a_far_address_and_a_name_may_not_resolve() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        assert await lines(bench, 'net.ping("10.77.0.99",1,print)', 4) == ["0\t10.77.0.99\t0\t-1"]
        network.zone["ok.test"] = PEER
        assert (await lines(bench, 'net.ping("ok.test",1,print)', 4))[0].startswith(f"32\t{PEER}\t")
        assert await lines(bench, 'net.ping("nx.test",print)', 10) == ["0"]

    on_network(test)


def test_wrong_arguments() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        for arguments, text in {
            "": "bad argument #1 to 'ping' (string expected, got no value)",
            "5": "bad argument #-2 to 'ping' (no received callback specified)",
            "'1.2.3.4',print,5": "bad argument #-1 to 'ping' (invalid sent callback, function expected)",
            "'',print": "lwip error -12",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(f"net.ping({arguments})")

    on_network(test)


def test_errors_in_its_callbacks_are_protected() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        said = await bench.type(f'net.ping("{PEER}",1,function() error("oh") end)', 4)
        assert "oh" in said and "PANIC" not in said and len(bench.resets) == 1

    on_network(test)
