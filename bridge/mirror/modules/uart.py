"""`board.uart`: the module `uart` (app/modules/uart.c, release 3.0.0).

UART 0 is the line that the bridge talks over, so what would change it is refused. UART 1 can only send, on D4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from bridge.errors import UsageError
from bridge.mirror.modules.face import Face, check_whole
from bridge.mirror.modules.text import Data, to_contents

#: Bytes that one call writes at most, whatever the speed: the board's Lua stands still while they leave.
SMALL, WRITE_CHUNK = 16, 256
#: Seconds for which it may; at 115 200 baud it is 22 ms.
WRITE_SECONDS = 0.1


class UartConstants:
    """Constants of `uart`."""

    PARITY_NONE = 0
    PARITY_EVEN = 1
    PARITY_ODD = 2
    STOPBITS_1 = 1
    STOPBITS_2 = 2
    STOPBITS_1_5 = 3
    DIR_RX = 0
    DIR_TX = 1


class Uart(UartConstants, Face):
    """Serial lines."""

    MODULE: ClassVar[str] = "uart"

    async def setup(
        self, id: int, baud: int, databits: int, parity: int, stopbits: int, echo: int | None = None
    ) -> int:
        """Set a UART up.

        Args:
            id: 1. UART 0 is refused.
            baud: 300 to 3 686 400; a speed that the module does not know becomes 9600, and is returned as asked for.
            databits: 5 to 8.
            parity: `PARITY_NONE`, `PARITY_EVEN` or `PARITY_ODD`.
            stopbits: `STOPBITS_1`, `STOPBITS_2` or `STOPBITS_1_5`.
            echo: refused: it is the console's, whichever UART is named.

        Returns:
            The speed in baud.

        Raises:
            UsageError: UART 0, what is no whole number, or `echo`.
            LuaError: "uart 2 does not exist".
        """
        check_whole(id, "The number of a UART")
        if id == 0:
            raise UsageError(
                "UART 0 is the line that the bridge talks over; setting it up would end the link",
                remedy="Choose the line's speed with open_board(url, speeds=…).",
            )
        if echo is not None:
            raise UsageError("The echo is the console's, which the bridge talks over", remedy="Leave `echo` out.")
        return int(await self._one("setup", id, baud, databits, parity, stopbits))

    async def getconfig(self, id: int) -> tuple[int, int, int, int]:
        """(baud, data bits, parity, stop bits) of UART 0 or 1.

        Raises:
            LuaError: "uart 2 does not exist".
        """
        baud, databits, parity, stopbits = await self._call("getconfig", id)
        return baud, databits, parity, stopbits

    async def write(self, id: int, *data: Data | int) -> None:
        """Send on a UART; ends when the last byte is in its FIFO.

        On UART 0 this is text beside the link's frames: it comes back as console text (`board.on("console", …)`),
        without NULs. Any length is sent, in pieces that keep the board busy for 0.1 s at most.

        Args:
            id: 0 or 1.
            data: bytes, str as UTF-8, or the number of a byte, 0 to 255.

        Raises:
            LuaError: "uart 2 does not exist", "invalid number".
        """
        for item in data or (b"",):
            if isinstance(item, int):
                await self._call("write", id, item)
                continue
            payload = to_contents(item)
            chunk = SMALL if len(payload) <= SMALL else await self._chunk(id)
            for at in range(0, max(len(payload), 1), chunk):
                await self._call("write", id, payload[at : at + chunk])

    async def fifodepth(self, id: int | None = None, dir: int | None = None) -> int:
        """Bytes in a FIFO of the chip.

        Args:
            id: UART 0 (so if None) or 1.
            dir: `DIR_RX` (so if None) or `DIR_TX`.

        Raises:
            LuaError: "Bad UART id; must be 0 or 1", "Bad direction; must be DIR_RX or DIR_TX".
        """
        return int(await self._one("fifodepth", id, dir))

    async def on(self, method: str, *values: int | str | Callable[..., Any] | None) -> NoReturn:
        """Refused: the bridge receives on UART 0, and UART 1 cannot receive.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "uart.on would take the line away from the bridge, which receives on it",
            remedy="Text that the board prints comes by board.on('console', function).",
        )

    async def alt(self, on: int) -> NoReturn:
        """Refused: with the pins D7 and D8 in use, the line to this host would be dead.

        Raises:
            UsageError: always.
        """
        raise UsageError("uart.alt would move the bridge's line to other pins", remedy="Leave the pins as they are.")

    async def _chunk(self, id: int) -> int:
        baud = (await self.getconfig(id))[0]
        return min(max(int(baud / 10 * WRITE_SECONDS), 1), WRITE_CHUNK)
