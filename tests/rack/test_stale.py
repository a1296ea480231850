"""bridge/rack/stale.py: a keeper that stands still."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bridge.rack.stale import Watch, started
from tests.rack.claimants import claimant
from tests.rack.witness import witness


def test_a_stopped_keeper_of_a_stopped_holder_is_ended_by_who_waits(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 1, url) as one, claimant("two", tmp_path, 1, url) as two:
            keeper = int(one.ask("claim")[3])
            assert one.ask("write", 1) == ["written"]
            seen.wait_for("one")
            one.process.send_signal(signal.SIGSTOP)
            os.kill(keeper, signal.SIGSTOP)
            assert two.ask("claim")[:3] == ["leased", "board-1", "2"]
            two.ask("write", 1)
            seen.wait_for("two")
            one.process.send_signal(signal.SIGCONT)
            assert one.ask("write", 2)[:2] == ["error", "LeaseLost"]
        assert seen.names() == ["one", "two"]


def test_a_stopped_keeper_is_ended_by_its_own_holder(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with claimant("one", tmp_path, 1, url) as one:
            keeper = int(one.ask("claim")[3])
            one.say("flood")
            seen.wait_for("one", 1)
            os.kill(keeper, signal.SIGSTOP)
            said = " ".join(one.hear())
            assert said.startswith("lost LeaseLost") and "stood still" in said
            assert one.ask("claim")[:3] == ["leased", "board-1", "2"]


def test_a_keeper_that_lives_is_let_be(tmp_path: Path) -> None:
    with witness() as seen, claimant("one", tmp_path, 30, f"socket://127.0.0.1:{seen.port}") as one:
        one.ask("claim")
        base = str(next(tmp_path.glob("*.lock"))).removesuffix(".lock")
        os.utime(f"{base}.lock", (1, 1))
        watch = Watch()
        assert watch.look(base) is None and watch.look(base) is None
        assert one.ask("check") == ["fine"]
    assert watch.look(str(tmp_path / "nothing")) is None


def test_when_a_process_began_tells_it_from_others() -> None:
    assert started(os.getpid()) == started(os.getpid()) is not None
    assert started(1 << 30) is None
