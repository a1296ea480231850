"""The stack against simulated peers, on the virtual clock."""

from __future__ import annotations

import asyncio

from bridge.virtual import clock
from bridge.virtual.lwip.address import from_dotted
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.lwip.pcb import State
from tests.virtual.lwip.bare import App, BareKernel, boot

PEER = from_dotted("10.77.0.1")


async def echo(stream: MemoryStream) -> None:
    while data := await stream.read(65536):
        stream.write(data)


def test_a_connection_echoes_and_closes_cleanly_and_gives_its_memory_back() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        network.serve("10.77.0.1", 7001, echo)
        kernel = BareKernel()
        stack = boot(network, kernel)
        before = kernel.heap.used
        app = App(stack).connect(PEER, 7001)
        await app.until(lambda log: "connected" in log)
        assert stack.tcp.write(app.pcb, b"hello") is Err.OK
        await app.until(lambda log: bool(app.received()))
        assert app.log == ["connected", ("sent", 5), ("receive", b"hello")]
        assert stack.tcp.close(app.pcb) is Err.OK
        await asyncio.sleep(1)
        assert [pcb.state for pcb in stack.tcp.time_wait] == [State.TIME_WAIT]
        await asyncio.sleep(15)
        assert not stack.tcp.time_wait and kernel.heap.used == before
        await network.close()

    clock.run(main())


def test_a_write_outside_of_a_callback_waits_for_the_slow_timer_and_one_inside_leaves_at_once() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        network.serve("10.77.0.1", 7001, echo)
        stack = boot(network)
        app = App(stack)
        waits = []
        loop = asyncio.get_running_loop()
        app.connect(PEER, 7001)
        await app.until(lambda log: "connected" in log)
        for pause in (0.1, 0.23, 0.31):
            await asyncio.sleep(pause)
            app.log.clear()
            start = loop.time()
            stack.tcp.write(app.pcb, b"x")
            await app.until(lambda log: ("sent", 1) in log)
            waits.append(loop.time() - start)
        assert all(wait < 0.31 for wait in waits) and max(waits) > 0.05
        app.log.clear()
        app.on["receive"] = lambda: stack.tcp.write(app.pcb, b"again") and None
        stack.tcp.write(app.pcb, b"go")
        await app.until(lambda log: ("receive", b"go") in log)
        del app.on["receive"]
        start = loop.time()
        await app.until(lambda log: ("sent", 5) in log)
        assert loop.time() - start < 0.01
        await network.close()

    clock.run(main())


def test_nobody_there_fails_after_the_syn_timeout_and_a_closed_port_at_once() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        stack = boot(network)
        loop = asyncio.get_running_loop()
        start = loop.time()
        app = App(stack).connect(from_dotted("10.77.0.99"), 7001)
        await app.until(lambda log: bool(log))
        assert app.log == [("error", Err.ABRT)] and 6.9 < loop.time() - start < 7.6
        start = loop.time()
        app = App(stack).connect(PEER, 7999)
        await app.until(lambda log: bool(log))
        assert app.log == [("error", Err.RST)] and loop.time() - start < 0.01

    clock.run(main())


def test_one_big_write_makes_two_sent_events_and_three_small_ones_make_one() -> None:
    async def main() -> None:
        network = MemoryNetwork()

        async def sink(stream: MemoryStream) -> None:
            while await stream.read(65536):
                pass

        network.serve("10.77.0.1", 7001, sink)
        stack = boot(network)
        app = App(stack).connect(PEER, 7001)
        await app.until(lambda log: "connected" in log)

        async def sent(*sizes: int) -> list[int]:
            app.log.clear()
            for size in sizes:
                assert stack.tcp.write(app.pcb, b"x" * size) is Err.OK
            await app.until(lambda log: sum(entry[1] for entry in log) == sum(sizes))
            return [entry[1] for entry in app.log]

        assert await sent(2920) == [1460, 1460]
        assert await sent(1, 1, 1) == [3]
        assert await sent(*[1] * 12) == [12]
        assert await sent(1000, 1000) == [1460, 540]
        assert stack.tcp.write(app.pcb, b"x" * 2921) is Err.MEM
        assert stack.tcp.write(app.pcb, b"x" * 2920) is Err.OK
        assert stack.tcp.write(app.pcb, b"y") is Err.MEM
        await network.close()

    clock.run(main())


def test_receive_comes_in_full_segments_and_hold_lets_one_window_in() -> None:
    async def main() -> None:
        network = MemoryNetwork()

        async def source(stream: MemoryStream) -> None:
            stream.write(b"z" * 10240)
            await stream.read(1)

        network.serve("10.77.0.1", 7001, source)
        stack = boot(network)
        app = App(stack).connect(PEER, 7001)
        await app.until(lambda log: len(app.received()) == 10240)
        assert app.sizes() == [1460] * 7 + [20]
        held = App(stack)
        held.hold = True
        held.connect(PEER, 7001)
        await asyncio.sleep(5)
        assert len(held.received()) == 5840
        held.hold = False
        stack.tcp.recved(held.pcb, 5840)
        await held.until(lambda log: len(held.received()) == 10240)
        await network.close()

    clock.run(main())


def test_closing_before_the_data_was_taken_is_a_reset() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        result: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def talk(stream: MemoryStream) -> None:
            stream.write(b"take this")
            try:
                result.set_result("end" if await stream.read(1) == b"" else "data")
            except ConnectionResetError:
                result.set_result("reset")

        network.serve("10.77.0.1", 7001, talk)
        stack = boot(network)
        app = App(stack)
        app.on["receive"] = lambda: stack.tcp.close(app.pcb) and None
        app.connect(PEER, 7001)
        assert await result == "reset"
        await network.close()

    clock.run(main())


def test_five_clients_get_in_and_the_sixth_waits_until_one_leaves() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        stack = boot(network)
        server = App(stack)
        accepted = server.listen(8080)
        streams = [await network.open_connection("10.77.0.2", 8080) for _ in range(5)]
        await server.until(lambda log: len(log) == 5)
        sixth = asyncio.ensure_future(network.open_connection("10.77.0.2", 8080))
        await asyncio.sleep(5)
        assert not sixth.done() and len(accepted) == 5
        streams[0].close()
        assert await sixth
        await server.until(lambda log: len(log) == 6)
        try:
            await network.open_connection("10.77.0.2", 81)
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("nobody listens on port 81")

    clock.run(main())


def test_a_peers_fin_and_reset_reach_the_program_as_such() -> None:
    async def main() -> None:
        network = MemoryNetwork()

        async def bye(stream: MemoryStream) -> None:
            stream.write(b"bye")

        async def rude(stream: MemoryStream) -> None:
            await asyncio.sleep(0.1)
            stream.abort()

        network.serve("10.77.0.1", 7001, bye)
        network.serve("10.77.0.1", 7002, rude)
        stack = boot(network)
        app = App(stack).connect(PEER, 7001)
        await app.until(lambda log: "fin" in log)
        assert app.log == ["connected", ("receive", b"bye"), "fin"]
        app = App(stack).connect(PEER, 7002)
        await app.until(lambda log: len(log) == 2)
        assert app.log == ["connected", ("error", Err.RST)]
        await asyncio.sleep(5)
        assert not stack.tcp.active

    clock.run(main())


def test_early_data_goes_in_segments_of_536_bytes() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        sizes: list[int] = []

        async def sizes_of(stream: MemoryStream) -> None:
            while sum(sizes) < 1200:
                sizes.append(len(await stream.read(65536)))

        network.serve("10.77.0.1", 7001, sizes_of)
        stack = boot(network)
        app = App(stack).connect(PEER, 7001)
        assert stack.tcp.write(app.pcb, b"e" * 1200) is Err.OK
        await app.until(lambda log: sum(entry[1] for entry in log if entry[0] == "sent") == 1200)
        assert [entry[1] for entry in app.log if entry[0] == "sent"] == [536, 536, 128]
        await network.close()

    clock.run(main())


def test_a_dead_peer_of_an_accepted_connection_is_given_up_by_keepalive() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        stack = boot(network)
        server = App(stack)
        accepted = server.listen(8080)
        stream = await network.open_connection("10.77.0.2", 8080)
        await server.until(lambda log: len(log) == 1)
        app = accepted[0]
        app.pcb.keepalive, app.pcb.keep_idle, app.pcb.keep_cnt = True, 1000, 1
        await asyncio.sleep(30)
        assert app.log == ["accepted"]
        stream.vanish()
        start = asyncio.get_running_loop().time()
        await app.until(lambda log: len(log) == 2)
        assert app.log[1] == ("error", Err.ABRT)
        assert 11 < asyncio.get_running_loop().time() - start < 15

    clock.run(main())


def test_a_hundred_kilobytes_arrive_unchanged_both_ways() -> None:
    async def main() -> None:
        network = MemoryNetwork()
        network.serve("10.77.0.1", 7001, echo)
        stack = boot(network)
        app = App(stack)
        data = bytes(i * 7 % 251 for i in range(100_000))
        at = 0

        def pump() -> None:
            nonlocal at
            while at < len(data) and stack.tcp.write(app.pcb, data[at : at + 1000]) is Err.OK:
                at += 1000

        app.on["connected"] = app.on["sent"] = pump
        app.connect(PEER, 7001)
        await app.until(lambda log: len(app.received()) == len(data))
        assert app.received() == data
        await network.close()

    clock.run(main())
