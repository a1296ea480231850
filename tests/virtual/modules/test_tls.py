"""The `tls` module against OpenSSL as a server."""

from __future__ import annotations

from bridge.virtual import clock
from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines
from tests.virtual.modules.tls_bench import PRELUDE, echo, issue, secure, server_context


def test_data_goes_both_ways() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        network.serve(PEER, 7443, secure(server_context(issue("server")), echo))
        bench = await Bench.boot(modules="net,node,tls,tmr,uart,file", network_factory=network.factory, cpu=0)
        for line in PRELUDE:
            await bench.type(line)
        said = await lines(bench, f'sk=mk() sk:connect(7443,"{PEER}")', 3)
        assert said == [f"EV dns\ttrue\t{PEER}", "EV connection\ttrue"]
        assert await lines(bench, 'sk:send("hello")', 2) == ["EV sent\ttrue", "EV receive\t5\thello"]
        assert await lines(bench, "sk:close()", 2) == ["EV disconnection\tfalse"]
        bench.close()
        await network.close()

    clock.run(main())
