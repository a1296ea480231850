"""bridge/rack/lease.py: exclusive use, across processes, whatever becomes of the holder."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bridge.errors import LeaseLost, PortBusy
from bridge.ports.open import open_port
from bridge.rack import Rack
from tests.board_process import announced, board_process
from tests.rack.claimants import claimant
from tests.rack.witness import witness


def test_a_board_is_claimed_opened_and_given_back(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        async with await rack.claim(purpose="a test") as lease:
            assert (lease.place.name, lease.generation, lease.port) == ("board-1", 1, url)
            async with lease.open_board() as board:
                assert board.url == url
                assert await board.eval("6*7") == 42
            # The port itself is closed to everybody else, this process included.
            with pytest.raises(PortBusy, match=f"in use by PID {os.getpid()}"):
                await open_port(url)
        with pytest.raises(LeaseLost, match="board-1 is leased no more: it has been given back"):
            lease.check()
        async with await rack.claim() as again:
            assert again.generation == 2

    with board_process("--rfc2217", "127.0.0.1:0") as process:
        asyncio.run(scenario(announced(process)[1]))


def test_another_process_waits_and_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 30, url) as one, claimant("two", tmp_path, 30, url) as two:
            assert one.ask("claim")[:3] == ["leased", "board-1", "1"]
            assert one.ask("write", 1) == ["written"]
            kind, text = (words := two.ask("claim", 0.2))[1], " ".join(words[2:])
            assert kind == "PlaceBusy"
            assert f"board-1 is held by PID {one.process.pid} (claimant.py," in text and "for 'one' since" in text
            two.say("claim")
            assert one.ask("release") == ["released"]
            assert two.hear()[:3] == ["leased", "board-1", "2"]
            two.ask("write", 1)
            seen.wait_for("two")
        assert seen.names() == ["one", "two"]


def test_a_holder_that_is_killed_frees_it_at_once(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 600, url) as one, claimant("two", tmp_path, 600, url) as two:
            assert one.ask("claim")[0] == "leased"
            one.say("flood")
            seen.wait_for("one", 10)
            two.say("claim")
            one.process.kill()
            # Long before its time to live; the test's own time limit is below that.
            assert two.hear()[:3] == ["leased", "board-1", "2"]
            two.ask("write", 1)
            seen.wait_for("two")
        assert seen.names() == ["one", "two"]


def test_a_holder_that_was_stopped_for_too_long_loses_it_and_writes_no_byte(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 1, url) as one, claimant("two", tmp_path, 1, url) as two:
            assert one.ask("claim")[0] == "leased"
            one.say("flood")
            seen.wait_for("one", 100)
            one.process.send_signal(signal.SIGSTOP)
            assert two.ask("claim")[:3] == ["leased", "board-1", "2"]
            two.ask("write", 1)
            seen.wait_for("two")
            one.process.send_signal(signal.SIGCONT)
            said = one.hear()
            assert said[:2] == ["lost", "LeaseLost"], said
            for number in range(2, 20):
                two.ask("write", number)
            seen.wait_for("two", 19)
        assert seen.names() == ["one", "two"]


def test_a_keeper_that_is_killed_takes_the_lease_with_it(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 30, url) as one, claimant("two", tmp_path, 30, url) as two:
            keeper = int(one.ask("claim")[3])
            one.say("flood")
            seen.wait_for("one", 10)
            os.kill(keeper, signal.SIGKILL)
            said = one.hear()
            assert said[:2] == ["lost", "LeaseLost"] and "its keeper" in " ".join(said)
            assert two.ask("claim")[0] == "leased"
            assert two.ask("release") == ["released"]
            # A new keeper is started with the next claim.
            assert one.ask("claim")[:3] == ["leased", "board-1", "3"]


def test_a_lease_is_given_back_though_its_port_cannot_be_closed(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        lease = await rack.claim()
        closed = []

        async def close_in_vain() -> None:
            raise OSError("in vain")

        async def close() -> None:
            closed.append(True)

        for closing in (close_in_vain, close):
            port = await lease.open_port()
            await port.close()
            port.close = closing  # type: ignore[method-assign]
        with pytest.raises(OSError, match="in vain"):
            await lease.release()
        assert closed
        async with await rack.claim(timeout=5):
            pass

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
