"""A firmware on an in-memory network, and the peers that the recordings had."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bridge.virtual import clock
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.bench import Bench

PEER = "10.77.0.1"
#: `mk()` makes a connection whose events are printed; `ev(name)` makes such a callback.
PRELUDE = (
    'function ev(n) return function(c,...) print("EV "..n,...) end end',
    "function mk() local c=net.createConnection() "
    'for _,n in ipairs{"connection","reconnection","disconnection","sent","dns"} do c:on(n,ev(n)) end',
    'c:on("receive",function(c,d) print("EV receive",#d,d:sub(1,30)) end) return c end',
)


async def echo(stream: MemoryStream) -> None:
    """Sends back what comes."""
    while data := await stream.read(65536):
        stream.write(data)


async def sink(stream: MemoryStream) -> None:
    """Reads to the end."""
    await stream.read()


def on_network(test: Callable[[Bench, MemoryNetwork], Awaitable[None]], *, extra: str = "file", **options: Any) -> None:
    """Run a test on a booted board with an echo server at port 7001 of its peer.

    Args:
        test: gets board and network.
        extra: one more module.
        options: of the board; computing takes no time unless told.
    """

    async def main() -> None:
        network = MemoryNetwork()
        network.serve(PEER, 7001, echo)
        bench = await Bench.boot(
            modules=f"net,node,tmr,uart,{extra}", network_factory=network.factory, **{"cpu": 0, **options}
        )
        for line in PRELUDE:
            await bench.type(line)
        await test(bench, network)
        bench.close()
        await network.close()

    clock.run(main())


async def lines(bench: Bench, line: str, idle: float = 0.6) -> list[str]:
    """Type a line; what the board printed, without echo and prompt."""
    said = (await bench.type(line, idle, 60)).partition("\r\n")[2]
    return [part.removeprefix("> ") for part in said.removesuffix("> ").split("\r\n") if part not in ("", "> ")]
