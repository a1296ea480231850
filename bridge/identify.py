"""Opens ports and says what is on each: at the prompt of NodeMCU, or, where none answers, from the ROM loader.

Ports are asked at the same time, and what is wrong with one is its own result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import BootLoop, BridgeError, NotNodeMCU, PortError
from bridge.flash import reachable
from bridge.flashing.session import Session
from bridge.inspect import Fact, inspect_board
from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.open import open_port

#: Seconds in which a board is to have said what it is: many times what it takes on a good line.
TIMEOUT = 30.0
#: Seconds that giving up may take: the port is closed and given back.
_GRACE = 15.0


@dataclass(frozen=True)
class Identity:
    """What is on a port."""

    chip: str | None
    """As "ESP8266"; None if nothing answered."""
    mac: str | None
    """Address of the Wi-Fi station, six pairs of hexadecimal digits, or None where the firmware does not say."""
    flash_kb: int | None
    """Size of the flash, in KiB."""
    facts: dict[str, Fact] | None
    """What the firmware says, see `bridge.inspect.inspect_board`; None if it is not NodeMCU."""
    trouble: BridgeError | None
    """Why it is not known, or not all of it: the port's error, or that no NodeMCU answers."""

    @property
    def known(self) -> bool:
        """True if NodeMCU answered."""
        return self.facts is not None


async def identify(url: str, *, baud: int = CONSOLE_BAUD, timeout: float = TIMEOUT, rom: bool = False) -> Identity:
    """Open a port and ask what is on it. Never raises for what is wrong with the port or the board.

    Opening a port resets the boards whose adapter drives the lines at that. Nothing else is reset, stopped or left
    behind, but with `rom`.

    Args:
        url: the port.
        baud: speed of its console, in baud.
        timeout: seconds for the firmware's answer.
        rom: where no NodeMCU answers, restart the board into its ROM loader and ask that; then it is restarted again.
    """
    try:
        facts = await _facts(url, baud, timeout)
    except (NotNodeMCU, BootLoop) as error:
        return await _from_rom(url, error) if rom else _unknown(error)
    except BridgeError as error:
        return _unknown(error)
    except OSError as error:
        return _unknown(PortError(f"{url} cannot be used ({error.strerror or error})", port=url))
    mac, flash = facts["mac"], facts["flash_kb"]
    return Identity(
        chip="ESP8266",
        mac=mac if isinstance(mac, str) else None,
        flash_kb=flash if isinstance(flash, int) else None,
        facts=facts,
        trouble=None,
    )


async def identify_all(
    urls: Sequence[str], *, baud: int = CONSOLE_BAUD, timeout: float = TIMEOUT, rom: bool = False
) -> list[Identity]:
    """Ask several ports at the same time; see `identify`. The results are in the order of the ports."""
    return await asyncio.gather(*(identify(url, baud=baud, timeout=timeout, rom=rom) for url in urls))


async def _facts(url: str, baud: int, timeout: float) -> dict[str, Fact]:
    try:
        async with asyncio.timeout(timeout + _GRACE):
            port = await open_port(url, baud=baud)
            try:
                return await inspect_board(port, timeout)
            finally:
                await port.close()
    except TimeoutError as error:
        if isinstance(error, BridgeError):
            raise
        raise PortError(
            f"{url} neither opens nor fails", port=url, remedy="Unplug the adapter and plug it in again."
        ) from error


async def _from_rom(url: str, trouble: BridgeError) -> Identity:
    try:
        async with reachable(url) as served, Session(served, baud=CONSOLE_BAUD, url=url) as session:
            await session.reset()
    except BridgeError as error:
        return _unknown(error)
    return Identity(
        chip=session.chip, mac=session.mac, flash_kb=session.flash_size // 1024 or None, facts=None, trouble=trouble
    )


def _unknown(error: BridgeError) -> Identity:
    return Identity(chip=None, mac=None, flash_kb=None, facts=None, trouble=error)
