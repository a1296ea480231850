"""A program that claims a board and writes tokens to it, for tests; it does what is said to it by lines.

python tests/rack/claimant.py NAME FOLDER TTL URL...

claim            says "leased PLACE GENERATION KEEPER-PID", or "error KIND TEXT"
write N          writes the token NAME:N
flood            writes tokens without pause until the lease is lost, then says "lost KIND TEXT LAST"
check            says "fine", or "lost KIND TEXT"
release          says "released"
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bridge.errors import BridgeError
from bridge.ports.base import Port
from bridge.rack import Lease, Rack
from bridge.rack import holder as holders


def say(*words: object) -> None:
    print(*words, flush=True)


async def main(name: str, folder: str, ttl: str, *urls: str) -> None:
    rack = Rack.of_ports(urls, folder=Path(folder), ttl=float(ttl))
    lease: Lease | None = None
    port: Port | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, *rest = line.split()
        try:
            match word:
                case "claim":
                    lease = await rack.claim(purpose=name, timeout=float(rest[0]) if rest else None)
                    port = await lease.open_port()
                    port.set_receiver(lambda data: None)
                    holder = holders._holder
                    assert holder is not None
                    say("leased", lease.place.name, lease.generation, holder._process.pid)
                case "write":
                    assert port is not None
                    port.write(f"<{name}:{rest[0]}>".encode())
                    await port.drain()
                    say("written")
                case "flood":
                    assert port is not None
                    number = 0
                    try:
                        while True:
                            number += 1
                            port.write(f"<{name}:{number}>".encode() * 20)
                            await port.drain()
                            await asyncio.sleep(0)
                    except BridgeError as error:
                        say("lost", type(error).__name__, number, error)
                case "check":
                    assert lease is not None
                    lease.check()
                    say("fine")
                case "release":
                    assert lease is not None
                    await lease.release()
                    say("released")
        except BridgeError as error:
            say("error", type(error).__name__, error)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
