"""The speed of the line: up a ladder, each step proven both ways, and safely back.

The board is asked at the old speed, goes to the new one 30 ms later, and comes back by its own timer if it is not told
within a second to keep it. Until then the host has moved a few hundred random bytes both ways at the new speed. What a
call loses meanwhile the link sends again, at whichever speed both are.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from typing import Protocol

from bridge.errors import LinkError, PortError
from bridge.wire.values import Value

_log = logging.getLogger("bridge.link")

#: Speeds to try, the best one first: what stock firmware can (app/platform/platform.c) and usual adapters can too.
LADDER = (921_600, 460_800, 230_400)
#: From the board's answer until it has changed: its timer of 30 ms, and a little.
_CHANGE_SECONDS = 0.045
#: The board's own patience, and a little.
_BACK_SECONDS = 1.1
#: Bytes that prove a speed, each way, in so many calls, and seconds for each of them.
_PROOF_BYTES, _PROOFS, _PROOF_SECONDS = 200, 4, 0.25
#: Frames that may be lost while a speed is proven, and so many times what this line loses at the old one. More, and a
#: lower speed carries more.
_LOSSES, _LOSSES_FACTOR = 1, 4
#: Until the board is found again at one of two speeds.
_FIND_SECONDS = 4.0


class Line(Protocol):
    """What a change of speed needs of a link."""

    @property
    def baud(self) -> int:
        """The speed now."""

    @property
    def losses(self) -> int:
        """Frames that the line damaged so far, both ways."""

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages."""

    async def move(self, baud: int) -> None:
        """Set the host's side; raises PortError."""

    def ask(self) -> None:
        """Ask the board where it stands, with what is sent next: what is under way may have left at another speed."""

    def expect_noise(self) -> None:
        """The search is over: noise that looks like the console's speed is a restart."""

    async def once(self, source: bytes, timeout: float) -> Value:
        """Run source with the agent's table, before all calls that wait; raises LinkTimeout and other LinkErrors."""

    async def echo(self, data: bytes, timeout: float) -> Value:
        """Have the board send bytes back, before all calls that wait; raises as `once`."""

    async def forget_echo(self, timeout: float) -> None:
        """Let the board forget how; raises as `once`."""

    def speed_try(self, baud: int) -> bytes:
        """Source that makes the board try a speed."""

    def speed_keep(self) -> bytes:
        """Source that makes it keep the speed."""


async def climb(line: Line, speeds: Iterable[int], rng: random.Random) -> int:
    """Take the first of some speeds that carries data well; returns the speed of the line in the end.

    The line must be quiet: no call may be under way.

    Args:
        line: the link.
        speeds: in baud, the one to try first comes first. Those that are not above the present one end the search.
        rng: makes the bytes of the proof.

    Raises:
        LinkError: the board was lost on the way.
    """
    for baud in speeds:
        if baud <= line.baud:
            break
        if not await _host_can(line, baud):
            continue
        if await _step(line, baud, rng):
            _log.info("the line runs at %d baud", baud)
            break
        _log.info("%d baud does not carry data well here", baud)
    line.expect_noise()  # from here on noise is a restart again
    await line.forget_echo(5.0)
    return line.baud


async def _host_can(line: Line, baud: int) -> bool:
    old = line.baud
    try:
        await line.move(baud)
        await line.move(old)
    except PortError:
        return False
    return True


async def _step(line: Line, baud: int, rng: random.Random) -> bool:
    loop = asyncio.get_running_loop()
    old, damage = line.baud, line.damage
    await line.echo(b"", 5.0)  # compiled here, where there is time
    await line.once(line.speed_try(baud), 5.0)
    await asyncio.sleep(_CHANGE_SECONDS)  # the board's UART must not change under bytes
    await line.move(baud)
    moved = loop.time()
    if await _proven(line, damage, rng):
        try:
            await line.once(line.speed_keep(), _PROOF_SECONDS * 2)
            return True
        except LinkError as error:
            _lost(error)
            return await _found(line, baud, old) == baud
    await asyncio.sleep(max(0.0, moved + _BACK_SECONDS - loop.time()))
    await line.move(old)
    await _found(line, old, baud)
    return False


async def _proven(line: Line, damage: float, rng: random.Random) -> bool:
    before = line.losses
    for _ in range(_PROOFS):
        data = rng.randbytes(_PROOF_BYTES)
        try:
            if await line.echo(data, _PROOF_SECONDS) != data:
                return False
        except LinkError as error:
            _lost(error)
            return False
    expected = damage * 2 * _PROOFS * _PROOF_BYTES
    return line.losses - before <= _LOSSES + _LOSSES_FACTOR * expected


async def _found(line: Line, first: int, second: int) -> int:
    """Find the board at one of two speeds; returns which.

    Raises:
        LinkError: it is at none.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _FIND_SECONDS
    while True:
        for baud in (first, second):
            if line.baud != baud:
                await line.move(baud)
            line.ask()
            try:
                await line.echo(b"here", 0.5)
                return baud
            except LinkError as error:
                _lost(error)
                if loop.time() > deadline:
                    raise


def _lost(error: LinkError) -> None:
    """Go on only if nothing worse happened than that an answer did not come in time."""
    if not isinstance(error, TimeoutError):
        raise error
