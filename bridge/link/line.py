"""The line under a link, as `bridge.link.speed` needs it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bridge.errors import LuaError, PortError
from bridge.link.shapes import ECHO_SHAPE, AgentCode
from bridge.link.sources import source_messages
from bridge.ports.base import Port
from bridge.wire.messages import ONCE, Call, DirectCall
from bridge.wire.values import Value

if TYPE_CHECKING:
    from bridge.link.pump import Link

#: What the board sends back as it came.
_ECHO = b"return function(m)return m:sub(3)end"


class LinkLine:
    """Satisfies `bridge.link.speed.Line`.

    Args:
        link: the link.
        port: its port, at the console's speed.
        code: sources of the agent.
    """

    def __init__(self, link: Link, port: Port, code: AgentCode) -> None:
        self._link = link
        self._port = port
        self._code = code
        self._console_baud = port.baud
        self._echoes = False

    @property
    def baud(self) -> int:
        """The speed of the line."""
        return self._port.baud

    @property
    def losses(self) -> int:
        """Frames that the line damaged so far, both ways."""
        return self._link.session.sender.damaged + self._link.session.damaged

    @property
    def damage(self) -> float:
        """Estimated share of bytes that the line damages."""
        return max(self._link.session.inbound.damage, self._link.session.sender.quality.damage)

    async def move(self, baud: int) -> None:
        """Set the speed of the host's side.

        Raises:
            PortError: the adapter refuses this speed.
        """
        await self._port.set_baud(baud)
        self._link.session.set_baud(baud)

    def ask(self) -> None:
        """Ask the board where it stands, with what is sent next; what is under way may have left at another speed."""
        self._link.session.ask()

    def expect_noise(self) -> None:
        """Noise that looks like the console's speed is a restart from now on."""
        self._link.session.expect_boot_noise(self.faster)

    @property
    def faster(self) -> float:
        """How many times as fast as the console it is."""
        return self._port.baud / self._console_baud

    async def leave(self) -> None:
        """The link has ended: the line gets the console's speed back, if the port is still there."""
        if self._port.baud != self._console_baud:
            with contextlib.suppress(PortError):
                await self._port.set_baud(self._console_baud)

    async def once(self, source: bytes, timeout: float) -> Value:
        """Run source with the agent's table before all calls that wait; returns its value."""
        async with self._link.limit(timeout, "a chunk of the agent's"):
            call = await self._link.begin_urgently("a chunk of the agent's")
            self._link.send(*source_messages(source), Call(ONCE, call.call_id))
            return (*await call.future, None)[0]

    async def echo(self, data: bytes, timeout: float) -> Value:
        """Have the board send bytes back, before all calls that wait."""
        async with self._link.limit(timeout, "the line's proof"):
            call = await self._link.begin_urgently("the line's proof")
            source = [] if self._echoes else source_messages(_ECHO)
            self._link.send(*source, DirectCall(ECHO_SHAPE, call.call_id, data))
            self._echoes = True
            return (*await call.future, None)[0]

    async def forget_echo(self, timeout: float) -> None:
        """Let the board forget how: the function's number stands for nothing again."""
        if not self._echoes:
            return
        async with self._link.limit(timeout, "the end of the line's proof"):
            call = await self._link.begin_urgently("the end of the line's proof")
            self._link.send(*source_messages(b"return nil"), DirectCall(ECHO_SHAPE, call.call_id))
            self._echoes = False
            with contextlib.suppress(LuaError):  # nil cannot be called, of course
                await call.future

    def speed_try(self, baud: int) -> bytes:
        """Source that makes the board try a speed."""
        return self._code.speed_try(baud)

    def speed_keep(self) -> bytes:
        """Source that makes it keep the speed."""
        return self._code.speed_keep()
