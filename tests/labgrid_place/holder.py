"""A process that takes a place of labgrid and holds it, for tests that stop and kill it. Says one line of JSON, then
waits for a line; with `write`, it writes bytes to the board's port as fast as it can from then on.

python holder.py ENV PLACE TTL
"""

from __future__ import annotations

import asyncio
import json
import sys

from bridge.errors import BridgeError
from bridge.labgrid_place.rack import LabgridRack
from bridge.rack.needs import Needs


async def main(env: str, place: str, ttl: float) -> None:
    """Hold it until a line comes, and write `lost` and why if it is lost."""
    rack = await LabgridRack.open(env, ttl=ttl)
    async with await rack.claim(Needs(place=place), timeout=60) as lease:
        print(json.dumps({"name": lease.name, "keeper": lease.keeper, "url": lease.url}), flush=True)  # type: ignore[attr-defined]
        line = await asyncio.to_thread(sys.stdin.readline)
        if line.strip() == "write":
            port = await lease.open_port()
            print("writing", flush=True)
            try:
                while True:
                    port.write(b"--[[old holder]]\n")
                    await asyncio.sleep(0)
            except BridgeError as error:
                print(f"{type(error).__name__}: {error}", flush=True)
            await port.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
