from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bridge.ports.lock import hold_port
from bridge.rack import Rack
from bridge.rack.claiming import held_by
from bridge.rack.state import board_key, port_lock
from bridge.rack.who import who_has
from tests.rack.claimants import claimant
from tests.rack.witness import witness


def test_the_holder_of_a_lease_and_a_program_without_one_are_told(tmp_path: Path) -> None:
    with witness() as seen, claimant("one", tmp_path, 5, url := f"socket://127.0.0.1:{seen.port}") as one:
        rack = Rack.of_ports([url], folder=tmp_path)
        key, port = board_key(rack.places[0]), port_lock(url)
        assert who_has(str(tmp_path), key, port) is None
        one.ask("claim")
        found = who_has(str(tmp_path), key, port)
        assert found is not None and found.record is not None and found.record["pid"] == one.process.pid
        assert found.lease is not None and Path(f"{found.lease}.lock").exists()
        one.ask("release")
        with hold_port(url):  # by the port's lock alone, as `nodemcu-bridge repl` does
            found = who_has(str(tmp_path), key, port)
            assert found is not None and found.record is not None and found.lease is None
            assert held_by(found.record).startswith(f"is held by PID {os.getpid()} (")
            place = rack.status().places[0]
            assert place.state == "held" and place.holder is not None and place.holder.pid == os.getpid()
            said = " ".join(one.ask("claim", 0.1))
            assert "PlaceBusy No board became free within" in said and f"held by PID {os.getpid()} (" in said


def test_a_claim_that_may_not_wait_gets_a_free_board_whoever_looks_at_it(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=tmp_path)
        looking = asyncio.create_task(asyncio.to_thread(lambda: [rack.status() for _ in range(400)]))
        for _ in range(20):
            await (await rack.claim(timeout=0)).release()
        await looking

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
