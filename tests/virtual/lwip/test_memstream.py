"""Streams of the in-memory network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.virtual import clock
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.lwip.bare import App, boot


def with_stream(test: Callable[[MemoryStream, App], Awaitable[None]]) -> None:
    async def main() -> None:
        network = MemoryNetwork()
        stack = boot(network)
        server = App(stack)
        accepted = server.listen(8080)
        stream = await network.open_connection("10.77.0.2", 8080)
        await server.until(lambda log: "accept" in log)
        await test(stream, accepted[0])

    clock.run(main())


def test_reading_in_pieces() -> None:
    async def test(stream: MemoryStream, app: App) -> None:
        app.stack.tcp.write(app.pcb, b"head\r\nbody and more")  # type: ignore[arg-type]
        assert await stream.read_until(b"\r\n") == b"head\r\n"
        assert await stream.read_exactly(4) == b"body"
        assert await stream.read(100) == b" and more"
        app.stack.tcp.write(app.pcb, b"the end")  # type: ignore[arg-type]
        app.stack.tcp.close(app.pcb)  # type: ignore[arg-type]
        with pytest.raises(asyncio.IncompleteReadError):
            await stream.read_until(b"\n")
        assert await stream.read() == b"the end"
        with pytest.raises(asyncio.IncompleteReadError):
            await stream.read_exactly(1)

    with_stream(test)


def test_writing_waits_for_the_board() -> None:
    async def test(stream: MemoryStream, app: App) -> None:
        app.hold = True
        stream.write(b"x" * 200_000)
        drained = asyncio.ensure_future(stream.drain())
        await asyncio.sleep(5)
        assert not drained.done() and len(app.received()) == 5840
        app.hold = False
        app.stack.tcp.recved(app.pcb, 5840)  # type: ignore[arg-type]
        await drained
        stream.write_eof()
        await app.until(lambda log: "fin" in log)
        assert len(app.received()) == 200_000

    with_stream(test)


def test_resets_reach_both_sides() -> None:
    async def test(stream: MemoryStream, app: App) -> None:
        app.stack.tcp.abort(app.pcb)  # type: ignore[arg-type]
        with pytest.raises(ConnectionResetError):
            await stream.read(1)
        with pytest.raises(ConnectionResetError):
            stream.write(b"x")

    with_stream(test)


def test_closing_with_unread_data_resets_and_a_clean_close_does_not() -> None:
    async def test(stream: MemoryStream, app: App) -> None:
        app.stack.tcp.write(app.pcb, b"unread")  # type: ignore[arg-type]
        await app.until(lambda log: ("sent", 6) in log)
        stream.close()
        await app.until(lambda log: log[-1] == ("error", Err.RST))

    with_stream(test)


def test_names_of_the_ends() -> None:
    async def test(stream: MemoryStream, app: App) -> None:
        assert stream.remote == ("10.77.0.2", 8080) and stream.local[0] == "10.77.0.1"

    with_stream(test)
