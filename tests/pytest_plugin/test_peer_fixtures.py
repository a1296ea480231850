"""Peers for a board, in a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pytest_plugin.boards import FAST, noted, rack_file, run, served


def test_a_board_talks_to_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def connect(board):
            writers = []
            async def to(peer):
                reader, writer = await board.open_connection(peer.host, peer.port)
                writers.append(writer)
                return reader, writer
            yield to
            for writer in writers:
                writer.close()

        async def test_echo(connect, peer_echo):
            reader, writer = await connect(peer_echo)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert (peer_echo.connections, peer_echo.received) == (1, b"hello")

        async def test_slow(connect, peer_slow):
            reader, writer = await connect(peer_slow)
            writer.write(bytes(200))
            assert await reader.readexactly(200) == bytes(200)

        async def test_resetting(connect, peer_resetting):
            reader, writer = await connect(peer_resetting)
            writer.write(b"hello")
            with pytest.raises(ConnectionResetError):
                await reader.read()

        async def test_half_closing(connect, peer_half_closing):
            reader, writer = await connect(peer_half_closing)
            assert await reader.read() == b"bye\\n"

        async def test_udp(board, peer_udp):
            socket, answers = await board.net.createUDPSocket(), asyncio.Queue()
            socket.on("receive", lambda _, data, *__: answers.put_nowait(data))
            await socket.send(peer_udp.port, peer_udp.host, b"hello")
            assert await answers.get() == b"hello" and peer_udp.received[0][0] == b"hello"
            await socket.close()
            await socket.release()

        @pytest.mark.board(modules=["tls"])
        async def test_tls(board, peer_tls):
            await board.tls.cert.verify(peer_tls.authority)
            socket, events = await board.tls.createConnection(), asyncio.Queue()
            for event in ("connection", "reconnection", "receive", "disconnection"):
                socket.on(event, lambda *values, event=event: events.put_nowait((event, *values[1:])))
            await socket.connect(peer_tls.port, peer_tls.host)
            assert (await events.get())[0] == "connection"
            await socket.send(b"hello")
            assert await events.get() == ("receive", b"hello")
            await socket.close()
            await socket.release()

        async def test_dns(board, peer_dns):
            peer_dns.names["board.test"] = "192.0.2.7"
            assert await board.net.dns.resolve("board.test") == "192.0.2.7"
            assert peer_dns.queries == ["board.test"]
        """
    )
    result = run(pytester, "--board", FAST, "-rs")
    outcomes = result.parseoutcomes()
    # Not everybody may have port 53.
    assert outcomes["passed"] >= 6 and outcomes["passed"] + outcomes.get("skipped", 0) == 7, outcomes


@pytest.mark.nightly
def test_a_board_that_hangs_holds_up_no_peer(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(
        """
        import pytest

        async def test_it(board, peer_dns):
            # It feeds its watchdog, and does nothing else for ever.
            with pytest.raises(TimeoutError):
                await board.exec("while true do tmr.wdclr() end", timeout=1)
        """
    )
    with served(1, "--no-baud-pacing", "--adapter-latency-ms", "0", "--cpu", "0") as boards:
        file = rack_file(tmp_path, boards)
        result, reports = noted(pytester, "--rack", file, "-rs", "-p", "no:timeout")
    if result.parseoutcomes().get("skipped"):
        pytest.skip("port 53 is not to be had")
    # Whether such a board comes back for another run is its own affair.
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    first = reports.calls("test_it")[0]
    assert (first["outcome"], first["facts"]["kinds"]) == ("rerun", ["silent"])
