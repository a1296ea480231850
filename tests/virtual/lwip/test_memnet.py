"""The in-memory network."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual import clock
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.lwip.bare import App, BareKernel, boot


def test_two_boards_talk_to_each_other() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        first = boot(network)
        second = network.factory_for("10.77.0.3")(BareKernel(2))  # type: ignore[arg-type]
        server = App(second)
        accepted = server.listen(80)
        app = App(first).connect(from_dotted("10.77.0.3"), 80)
        await app.until(lambda log: "connected" in log)
        first.tcp.write(app.pcb, b"board to board")  # type: ignore[arg-type]
        await server.until(lambda log: "accept" in log)
        await accepted[0].until(lambda log: bool(accepted[0].received()))
        assert accepted[0].received() == b"board to board"

    clock.run(main())


def test_a_reset_board_vanishes_and_its_next_boot_resets_what_it_does_not_know() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        kernel = BareKernel()
        App(boot(network, kernel)).listen(80)
        stream = await network.open_connection("10.77.0.2", 80)
        kernel.reset()
        stream.write(b"anybody there?")
        await asyncio.sleep(0.5)
        boot(network)
        with pytest.raises(ConnectionResetError):
            await stream.read(1)

    clock.run(main())


def test_the_zone_answers_and_fails_as_told() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        network.zone.update({"ok.test": "10.0.0.1", "two.test": ["10.0.0.2", "10.0.0.3"], "empty.test": "empty"})
        stack = boot(network)
        found: dict[bytes, int | None] = {}
        for name in (b"ok.test", b"two.test", b"empty.test", b"nx.test"):
            assert stack.dns.resolve(name, lambda name, ip, arg: found.update({name: ip}), None) is Err.INPROGRESS
            await asyncio.sleep(0.1)
        assert found == {b"ok.test": 0x0A000001, b"two.test": 0x0A000002, b"empty.test": None}
        await asyncio.sleep(8)
        assert found[b"nx.test"] is None

    clock.run(main())


def test_datagrams_both_ways() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        port = network.udp("10.77.0.1", 9000)
        stack = boot(network)
        pcb = stack.udp.new()
        assert pcb is not None
        stack.udp.bind(pcb, 0, 5000)
        got: list[bytes] = []
        pcb.recv = lambda arg, pcb, data, ip, port: got.append(data)
        stack.udp.send(pcb, b"ping", from_dotted("10.77.0.1"), 9000)
        assert await port.receive() == (b"ping", ("10.77.0.2", 5000))
        port.send(b"pong", "10.77.0.2", 5000)
        await asyncio.sleep(0.1)
        assert got == [b"pong"]

    clock.run(main())


def test_serving_can_be_stopped_and_handlers_that_fail_do_no_harm() -> None:
    async def main() -> None:
        network = MemoryNetwork()

        async def gone(stream: MemoryStream) -> None:
            await stream.read_exactly(10)

        network.serve("10.77.0.1", 7001, gone)
        stack = boot(network)
        app = App(stack).connect(from_dotted("10.77.0.1"), 7001)
        await app.until(lambda log: "connected" in log)
        stack.tcp.close(app.pcb)  # type: ignore[arg-type]
        await asyncio.sleep(1)
        network.stop_serving("10.77.0.1", 7001)
        app = App(stack).connect(from_dotted("10.77.0.1"), 7001)
        await app.until(lambda log: bool(log))
        assert app.log == [("error", Err.RST)]
        await network.close()

    clock.run(main())


def test_who_answers_an_echo() -> None:
    async def main() -> None:
        network = MemoryNetwork(latency=0.01)
        boot(network)
        assert network.echo_time(from_dotted("10.77.0.1")) == 0.02
        assert network.echo_time(from_dotted("10.77.0.99")) is None

    clock.run(main())
