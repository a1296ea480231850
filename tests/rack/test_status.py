from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bridge.rack import Needs, Rack, RackFile
from bridge.rack.health import Evidence, record_failure
from bridge.rack.model import Place
from bridge.rack.record import read_record, write_record
from tests.rack.witness import witness


def lock_of(folder: Path) -> str:
    return str(next(folder.glob("*.lock"))).removesuffix(".lock")


def test_who_holds_what_who_waits_and_what_is_wrong(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        places = [
            Place(name="a", port=url, tags=["t"]),
            Place(name="b", port="/dev/no-such-port"),
            Place(name="c", port="virtual:"),
        ]
        rack = Rack(RackFile(version=1, ttl=7, places=places), folder=tmp_path)
        record_failure(places[1], Evidence("it smokes", test="test_x"), folder=tmp_path)
        lease = await rack.claim(Needs(place="a"), purpose="nightly")
        waiting = asyncio.create_task(rack.claim(Needs(place="a"), purpose="more"))
        while not (found := rack.status()).waiting:  # noqa: ASYNC110  it is told by files
            await asyncio.sleep(0.01)
        a, b, c = found.places
        assert (a.state, b.state, c.state) == ("held", "absent", "own")
        assert a.holder is not None and a.holder.pid == os.getpid() and a.holder.purpose == "nightly"
        assert a.holder.ttl_s == 7 and a.holder.port == url and a.holder.generation == 1
        assert a.holder.heard_s is not None and a.holder.held_s is not None
        assert (b.failures[0].what, b.failures[0].test) == ("it smokes", "test_x")
        assert (found.waiting[0].purpose, found.waiting[0].places) == ("more", ["a"])
        # What another user writes cannot play with a terminal.
        base = lock_of(tmp_path)
        write_record(base, {**(read_record(base) or {}), "user": "\x1b[2J" + "u" * 500, "pid": "x", "since": None})
        holder = rack.status().places[0].holder
        assert holder is not None and holder.user is not None
        assert holder.user.startswith("?[2Ju") and len(holder.user) == 200 and holder.pid is None
        await lease.release()
        await (await waiting).release()
        assert rack.status().places[0].state == "free"

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
