"""Flow control of a transport's writing side: when its protocol is asked to pause, and to go on."""

from __future__ import annotations

import asyncio
from asyncio import transports
from typing import Any

#: Bytes that wait for the board before the protocol is asked to pause: a second and a half of a line at 115 200 baud.
#: The system's sockets keep 64 KiB; here what waits would take six seconds to leave.
HIGH_WATER = 16_384


class WriteFlow(transports._FlowControlMixin):
    """asyncio's own flow control (`loop.sendfile` asks for it by this class), with limits that suit a serial line.

    Args:
        extra: for `get_extra_info`.
        loop: whose exception handler hears of errors in the protocol.
    """

    def __init__(self, extra: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._protocol: asyncio.BaseProtocol = asyncio.Protocol()
        self._unsent = 0
        super().__init__(extra, loop)
        self._loop = loop
        self._protocol_paused: bool

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another from now on."""
        self._protocol = protocol

    def get_write_buffer_size(self) -> int:
        """Bytes that the board's stack has not taken yet."""
        return self._unsent

    def _set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None and low is None:
            high = HIGH_WATER
        super()._set_write_buffer_limits(high, low)  # type: ignore[misc]

    def _wrote(self, size: int) -> None:
        """So many bytes more wait."""
        self._unsent += size
        self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def _left(self, size: int) -> None:
        """So many bytes have left."""
        self._unsent -= size
        self._maybe_resume_protocol()  # type: ignore[attr-defined]

    def _tell_loop(self, error: BaseException, message: str) -> None:
        """Tell the loop's exception handler of an error in the protocol."""
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )
