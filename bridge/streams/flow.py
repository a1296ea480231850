"""Flow control of a transport's writing side: when its protocol is asked to pause, and to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Bytes that wait for the board before the protocol is asked to pause: a second and a half of a line at 115 200 baud.
#: The system's sockets keep 64 KiB; here what waits would take six seconds to leave.
HIGH_WATER = 16_384


class WriteFlow:
    """Counts what waits to be written, and tells the protocol.

    Args:
        transport: named in reports.
        protocol: returns the protocol of the moment.
    """

    def __init__(self, transport: asyncio.BaseTransport, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        self._transport, self._protocol = transport, protocol
        self._paused = False
        #: Bytes that wait.
        self.size = 0
        self.low, self.high = 0, 0
        self.set_limits()

    def set_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As `asyncio.WriteTransport.set_write_buffer_limits`.

        Raises:
            ValueError: high is below low, or low below 0.
        """
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self.low, self.high = low, high
        self.changed(0)

    def changed(self, by: int) -> None:
        """So many bytes came, or left if negative."""
        self.size += by
        if self.size > self.high and not self._paused:
            self._paused = True
            self._tell(self._protocol().pause_writing)
        elif self._paused and self.size <= self.low:
            self._paused = False
            self._tell(self._protocol().resume_writing)

    def clear(self) -> None:
        """Nothing waits any more, because nothing will leave; the protocol hears that in another way."""
        self.size = 0

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            asyncio.get_running_loop().call_exception_handler(
                {
                    "message": f"protocol.{what.__name__}() failed",
                    "exception": error,
                    "transport": self._transport,
                    "protocol": self._protocol(),
                }
            )
