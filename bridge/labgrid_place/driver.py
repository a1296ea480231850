"""labgrid's driver for a board: gives a `Board` on a port, whichever machine it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attr
from labgrid.driver.common import Driver
from labgrid.factory import target_factory
from labgrid.protocol import ResetProtocol
from labgrid.resource import SerialPort
from labgrid.step import step
from labgrid.util.proxy import proxymanager

import bridge
import bridge.sync
from bridge.errors import WrongBoard
from bridge.flash import FlashReport, flash_image
from bridge.flashing.start import await_prompt
from bridge.image import ImagePart
from bridge.inspect import Fact, inspect_board
from bridge.labgrid_place.resource import words
from bridge.portal import portal
from bridge.ports.open import open_port
from bridge.profile import Profile, load_profile

#: Seconds that EN is held low for a reset.
_HOLD = 0.1


def port_url(port: Any) -> str:
    """The URL of a serial port of labgrid, through its proxy where it has one.

    Args:
        port: a resource `SerialPort` of this machine, or a `NetworkSerialPort`.
    """
    if isinstance(port, SerialPort):
        return str(port.port)
    host, tcp_port = proxymanager.get_host_and_port(port)
    scheme = "socket" if port.protocol == "raw" else "rfc2217"
    return f"{scheme}://[{host}]:{tcp_port}" if ":" in host else f"{scheme}://{host}:{tcp_port}"


@target_factory.reg_driver
@attr.s(eq=False)
class NodeMCUDriver(Driver, ResetProtocol):
    """A board on a serial port. Active: the port may be used, and is opened by what needs it.

    Bindings:
        port: the serial port.
        facts: the resource `NodeMCU`, or none.
    """

    bindings = {"port": {"SerialPort", "NetworkSerialPort"}, "facts": {"NodeMCU", None}}

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._board: bridge.sync.Board | None = None

    def on_deactivate(self) -> None:
        """Give the board's prompt and the port back."""
        self.close()

    @property
    def url(self) -> str:
        """Of its port, for programs of this package."""
        return port_url(self.port)

    @property
    def profile(self) -> Profile | None:
        """Of the board, or None if its resource names none.

        Raises:
            ProfileError: there is no such profile.
        """
        return load_profile(self.facts.profile) if self.facts is not None and self.facts.profile else None

    @property
    def has_lines(self) -> bool:
        """False where the place, or the board's kind, says that no reset lines are wired."""
        if self.facts is not None and self.facts.reset == "none":
            return False
        profile = self.profile
        return profile is None or profile.reset.lines != "none"

    @Driver.check_active
    def open_board(self, **options: Any) -> bridge.open_board:
        """Open the board, for coroutines; takes what `bridge.open_board` takes.

        Raises:
            As `bridge.open_board`, when it is entered.
        """
        self.close()
        return bridge.open_board(self.url, **options)

    @property
    @Driver.check_active
    def board(self) -> bridge.sync.Board:
        """The board without `await`, with the agent on it; opened when first asked for, until this is deactivated.

        Raises:
            WrongBoard: another board is there than the resource says.
            As `bridge.sync.open_board`.
        """
        if self._board is None:
            self.inspect()
            self._board = bridge.sync.open_board(self.url)
        return self._board

    @Driver.check_active
    def inspect(self) -> dict[str, Fact]:
        """What the board says of itself at its prompt (`bridge.inspect.inspect_board`).

        Raises:
            WrongBoard: another board is there than the resource says, or its firmware lacks a module.
            NotNodeMCU: something else answers, or nothing does.
            PortError: the port cannot be opened.
        """
        self.close()
        found = portal().call(self._inspect())
        if self.facts is not None:
            self._check(found)
        return found

    def close(self) -> None:
        """Give the board's prompt and the port back, if `board` has them."""
        board, self._board = self._board, None
        if board is not None:
            board.close()

    @Driver.check_active
    @step()
    def reset(self) -> None:
        """Reset the board by the lines of its adapter, and wait for its prompt.

        Raises:
            PortError: the port cannot be opened, or has no such lines.
            FlashError: no NodeMCU comes up; says why.
        """
        self.close()
        portal().call(self._reset())

    @Driver.check_active
    @step()
    def await_prompt(self) -> None:
        """Wait for the prompt of a board that has just got power.

        Raises:
            FlashError: no NodeMCU comes up; says why.
            PortError: the port cannot be opened.
        """
        self.close()
        portal().call(await_prompt(self.url, lines=self.has_lines))

    @Driver.check_active
    def flash(self, parts: Sequence[ImagePart], *, log: Path | None = None) -> FlashReport:
        """Write a firmware unless it is there, and wait until it has started; see `bridge.flash.flash_image`.

        Raises:
            As `flash_image` and `bridge.flashing.start.await_prompt`.
        """
        self.close()
        return portal().call(self._flash(parts, log))

    async def _reset(self) -> None:
        port = await open_port(self.url)
        try:
            await port.set_lines(dtr=False, rts=True)
            await asyncio.sleep(_HOLD)
            await port.set_lines(rts=False)
            await await_prompt(port)
        finally:
            await port.close()

    async def _flash(self, parts: Sequence[ImagePart], log: Path | None) -> FlashReport:
        mac = self.facts.mac if self.facts is not None else ""
        report = await flash_image(self.url, parts, profile=self.profile, mac=mac or None, log=log)
        await await_prompt(self.url, lines=self.has_lines)
        return report

    async def _inspect(self) -> dict[str, Fact]:
        port = await open_port(self.url)
        try:
            return await inspect_board(port)
        finally:
            await port.close()

    def _check(self, found: dict[str, Fact]) -> None:
        wanted = self.facts.mac.lower()
        if wanted and found["mac"] not in (None, wanted):
            raise WrongBoard(
                f"The board has the MAC address {found['mac']}, and that of its place is {wanted}",
                port=self.url,
                remedy="Put the right board there, or change `mac` of the resource NodeMCU in the exporter's file.",
            )
        modules = found["modules"]
        lacking = sorted(set(words(self.facts.modules)) - set(modules)) if isinstance(modules, list) else []
        if lacking:
            raise WrongBoard(
                f"The board's firmware lacks what its place promises: {', '.join(lacking)}",
                port=self.url,
                remedy="Give the strategy an image that has it, or change `modules` of the resource NodeMCU.",
            )
