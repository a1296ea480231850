"""Whole messages over a line that damages bytes: the real agent on a virtual board, line paced, CPU costed.

Both ways at once: every chunk goes to the board and comes back.
"""

import asyncio
import hashlib
import random

import pytest

from bridge import agent
from bridge.virtual import clock
from tests.virtual_link import virtual_port

SIZE = 100 * 1024
CHUNK = 1200


async def there_and_back(**faults: float) -> float:
    """Seconds of virtual time from the first byte to the last, bootstrap included."""
    loop = asyncio.get_running_loop()
    async with virtual_port(**faults) as port:
        began = loop.time()
        link = await agent.start(port, rng=random.Random(1))
        data = random.Random(7).randbytes(SIZE)
        await link.run_lua("function echo(...) return ... end")
        begun = asyncio.Semaphore(4)

        async def one(chunk: bytes) -> bytes:
            async with begun:
                (back,) = await link.call("echo", chunk, timeout=None)
                assert isinstance(back, bytes)
                return back

        back = await asyncio.gather(*(one(data[at : at + CHUNK]) for at in range(0, SIZE, CHUNK)))
        took = loop.time() - began
        assert hashlib.sha256(b"".join(back)).digest() == hashlib.sha256(data).digest()
        await link.close()
        return took


@pytest.mark.parametrize(
    ("faults", "limit"),
    [
        ({}, 14.0),
        ({"drop": 0.001, "seed": 1}, 25.0),
        ({"flip": 0.001, "seed": 2}, 25.0),
        ({"drop": 0.005, "flip": 0.005, "seed": 3}, 60.0),
        pytest.param({"drop": 0.01, "seed": 4}, 60.0, marks=pytest.mark.nightly),
        pytest.param({"flip": 0.01, "seed": 5}, 60.0, marks=pytest.mark.nightly),
    ],
    ids=["clean", "0.1 % lost", "0.1 % flipped", "1 % either", "1 % lost", "1 % flipped"],
)
def test_100_kb_each_way_arrive_unchanged(faults: dict[str, float], limit: float) -> None:
    assert clock.run(there_and_back(**faults)) < limit
