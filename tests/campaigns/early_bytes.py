"""Bytes that a peer sends before anybody on the host reads: none is lost, however late the host is.

python -m tests.campaigns.early_bytes --tries 500 --build "5.1 float"
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time

from bridge.mirror.tcp import TCPSocket
from tests.campaigns.stage import BOARD, BUILDS, Stage, play

#: Seconds that the host takes from a socket's acceptance to its handler.
LATE = 0.5
#: Clients at once; the board's stack has room for five.
AT_ONCE = 3
LISTENING = 8080


def tries(count: int, build: str, seed: int = 1) -> int:
    """Peers connect, send at once and at moments before the host listens to them; returns the bytes that arrived.

    Raises:
        AssertionError: bytes are lost, changed, out of order, or told after the end.
    """
    rng = random.Random(seed)
    arrived: list[int] = []

    async def scenario(stage: Stage) -> None:
        ready: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue()

        async def late(socket: TCPSocket) -> None:
            await asyncio.sleep(LATE)
            got = bytearray()

            def receive(socket: TCPSocket, data: bytes) -> None:
                got.extend(data)

            def end(socket: TCPSocket, code: int) -> None:
                ready.put_nowait((bytes(got), code))

            # The end first: data that was kept must still come before it.
            if rng.random() < 0.5:
                socket.on("disconnection", end)
                socket.on("receive", receive)
            else:
                socket.on("receive", receive)
                await asyncio.sleep(rng.choice([0.0, 0.01, 0.2]))
                socket.on("disconnection", end)

        async def client(number: int) -> bytes:
            stream = await stage.network.open_connection(BOARD, LISTENING)
            sent = b"%06d" % number
            stream.write(sent)
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(rng.choice([0.0, 0.001, 0.05, 0.3]))
                piece = rng.randbytes(rng.choice([1, 20, 700, 1460]))
                sent += piece
                stream.write(piece)
            stream.close()
            return sent

        server = await stage.board.net.createServer(30)
        await server.listen(LISTENING, late)
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            sent = await asyncio.gather(*(client(number) for number in numbers))
            got = [await ready.get() for _ in numbers]
            assert sorted(data for data, _ in got) == sorted(sent)
            assert {code for _, code in got} == {0}
            arrived.extend(len(data) for data, _ in got)
        await server.close()

    play(scenario, **BUILDS[build])
    assert len(arrived) == count
    return sum(arrived)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--build", choices=[*BUILDS, "all"], default="all")
    args = parser.parse_args()
    for build in BUILDS if args.build == "all" else [args.build]:
        began = time.monotonic()
        count = tries(args.tries, build)
        print(
            f"{build}: {args.tries} tries, {count} bytes, none lost, {time.monotonic() - began:.0f} s of this machine"
        )


if __name__ == "__main__":
    main()
