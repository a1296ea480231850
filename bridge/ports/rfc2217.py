"""`rfc2217://host:port`: a serial port over telnet, with speed and modem lines, on asyncio.

pyserial's client sleeps 50 ms at every setting and cannot run under pyserial-asyncio at all; this one waits for the
server's acknowledgements and nothing else. Opening it drives no modem line: Espressif's server, for one, takes DTR as
"enter the ROM loader" and a falling RTS as "reset".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.errors import PortBusy, PortError, PortLost
from bridge.ports.socket import SocketPort, connect, split_url
from bridge.ports.telnet import Command, Control, Telnet, escape

#: Seconds for the server to acknowledge a setting; a terminal server's own port may be slow, a dead one stays silent.
ANSWER_TIMEOUT = 4.0
#: A server reports the speed its adapter really took; a UART reads reliably up to about 2 % off.
BAUD_TOLERANCE = 0.03


class Rfc2217Port(SocketPort):
    """A `Port` over RFC 2217; made by `open_rfc2217`.

    Args:
        url: the URL; `?ign_set_control` (as for pyserial) says that the server does not acknowledge modem lines.
        baud: speed of the line, in baud.
        acknowledged_lines: wait for the server to acknowledge changes of the modem lines.
    """

    def __init__(self, url: str, baud: int, *, acknowledged_lines: bool = True) -> None:
        super().__init__(url, baud)
        self._telnet = Telnet()
        self._acknowledged_lines = acknowledged_lines
        self._news = asyncio.Event()
        self._setting = asyncio.Lock()
        self._held = bytearray()
        self._loop = asyncio.get_running_loop()
        self._line_free_at = 0.0

    async def negotiate(self) -> None:
        """Agree on RFC 2217 and set up the line; called once, after connecting."""
        self._telnet.start()
        self._transmit()
        try:
            await self._until(lambda: self._telnet.accepted or self._telnet.refused, "as an RFC 2217 server does")
        except PortLost as error:
            raise PortBusy(
                f"{self.url} hangs up at once",
                port=self.url,
                remedy="Another client probably has the port; close it and try again.",
            ) from error
        if self._telnet.refused:
            raise PortError(
                f"{self.url} does not speak RFC 2217",
                port=self.url,
                remedy="If it is a plain TCP port, use socket://host:port.",
            )
        async with self._setting:
            self._telnet.answers.clear()
            self._ask_for_baud(self._baud)
            for command, value in ((Command.SET_DATASIZE, 8), (Command.SET_PARITY, 1), (Command.SET_STOPSIZE, 1)):
                self._telnet.command(command, bytes([value]))
            self._telnet.command(Command.SET_CONTROL, bytes([Control.FLOW_NONE]))
            await self._set_baud(self._baud)

    def write(self, data: bytes) -> None:
        self._check()
        # Where the line will be done with it; a speed change has to wait for that, and telnet does not tell.
        now = self._loop.time()
        self._line_free_at = max(now, self._line_free_at) + len(data) * 10 / self._baud
        if self._telnet.suspended:
            self._held += data
        else:
            self._send(escape(data))

    async def set_baud(self, baud: int) -> None:
        await self.drain()
        await asyncio.sleep(max(0.0, self._line_free_at - self._loop.time()))
        async with self._setting:
            self._check()
            self._telnet.answers.clear()
            self._ask_for_baud(baud)
            await self._set_baud(baud)

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        values = []
        if dtr is not None:
            values.append(Control.DTR_ON if dtr else Control.DTR_OFF)
        if rts is not None:
            values.append(Control.RTS_ON if rts else Control.RTS_OFF)
        if not values:
            return
        async with self._setting:
            self._check()
            self._telnet.answers.clear()
            for value in values:
                self._telnet.command(Command.SET_CONTROL, bytes([value]))
            self._transmit()
            if self._acknowledged_lines:
                await self._until(
                    lambda: set(values) <= {a.number for a in self._telnet.answers if a.command is Command.SET_CONTROL},
                    "to a change of DTR or RTS",
                    "If this server never does, add ?ign_set_control to its URL.",
                )

    def _ask_for_baud(self, baud: int) -> None:
        if baud >= 1 << 32:
            raise PortError(
                f"{self.url} cannot be asked for {baud} baud, which RFC 2217 has no room for",
                port=self.url,
                remedy="Use a lower or a more usual speed.",
            )
        self._telnet.baud(baud)

    async def _set_baud(self, baud: int) -> None:
        self._transmit()
        await self._until(
            lambda: any(a.command is Command.SET_BAUDRATE for a in self._telnet.answers), "to a change of speed"
        )
        taken = next(a.number for a in self._telnet.answers if a.command is Command.SET_BAUDRATE)
        if abs(taken - baud) > baud * BAUD_TOLERANCE:
            raise PortError(
                f"{self.url} refuses {baud} baud and stays at {taken}",
                port=self.url,
                remedy="Use a lower or a more usual speed.",
            )
        self._baud = baud

    def data_received(self, data: bytes) -> None:
        data = self._telnet.feed(data)
        if not self._closing:
            self._transmit()
            if self._held and not self._telnet.suspended:
                held = bytes(self._held)
                self._held.clear()
                self._send(escape(held))
        self._news.set()
        self._inbox.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._news.set()

    def _transmit(self) -> None:
        if self._telnet.output:
            output = bytes(self._telnet.output)
            self._telnet.output.clear()
            self._send(output)

    async def _until(self, done: Callable[[], bool], what: str, remedy: str | None = None) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                while not done():
                    self._check()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise PortError(
                f"{self.url} does not answer {what}",
                port=self.url,
                remedy=remedy or "If it is a plain TCP port, use socket://host:port.",
            ) from error


async def open_rfc2217(url: str, *, baud: int) -> Rfc2217Port:
    """Open `rfc2217://host:port`.

    Args:
        url: the URL.
        baud: speed of the line, in baud.

    Raises:
        PortNotFound: nobody answers there.
        PortBusy: the server hangs up, as one does that already has a client.
        PortError: it does not speak RFC 2217, or refuses the speed.
        UsageError: the URL lacks host or TCP port.
    """
    host, tcp_port, query = split_url(url)
    port = Rfc2217Port(url, baud, acknowledged_lines="ign_set_control" not in query)
    await connect(port, host, tcp_port)
    try:
        await port.negotiate()
    except BaseException:
        await port.close()
        raise
    return port
