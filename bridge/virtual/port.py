"""A virtual board as a port of this process: `virtual:` URLs."""

from __future__ import annotations

import asyncio

from bridge.errors import PortError, PortLost, UsageError
from bridge.ports.base import CONSOLE_BAUD, LossHandler, Receiver
from bridge.virtual.board import VirtualBoard
from bridge.virtual.clock import is_virtual
from bridge.virtual.options import parse_url

#: Bytes kept for a receiver that is still to come; the oldest go first.
KEPT_BYTES = 1 << 20


class VirtualPort:
    """The host's end of a virtual board, as a `bridge.ports.base.Port`.

    Args:
        board: a started board; the port does not stop it unless it owns it. Tests keep it to reset or unplug it.
        url: names the port in messages.
        owner: True if closing the port closes the board.
    """

    def __init__(self, board: VirtualBoard, *, url: str = "virtual:", owner: bool = False) -> None:
        self.board = board
        self._url = url
        self._owner = owner
        self._receiver: Receiver | None = None
        self._lost_handler: LossHandler | None = None
        self._kept = bytearray()
        self._loss: PortLost | None = None
        self._closed = False
        self._flush_pending = False
        board.set_host_receiver(self._arrived)
        board.on_unplug.append(self._unplugged)

    @property
    def url(self) -> str:
        """The URL the port was opened by."""
        return self._url

    @property
    def baud(self) -> int:
        """The speed of the host's end in baud."""
        return self.board.host_baud

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        """See `Port.set_receiver`."""
        self._receiver, self._lost_handler = receiver, lost
        if (self._kept or self._loss) and not self._flush_pending:
            self._flush_pending = True
            asyncio.get_running_loop().call_soon(self._flush)

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        self._check()
        self.board.host_write(data)

    async def drain(self) -> None:
        """See `Port.drain`."""
        self._check()
        await self.board.drain()
        self._check()

    async def set_baud(self, baud: int) -> None:
        """See `Port.set_baud`.

        Raises:
            PortError: no UART has this speed.
        """
        if not 50 <= baud <= 4_000_000:
            raise PortError(f"The virtual adapter has no speed of {baud} baud", port=self._url)
        await self.drain()
        self.board.set_host_baud(baud)

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """See `Port.set_lines`."""
        self._check()
        self.board.set_lines(dtr=dtr, rts=rts)

    async def close(self) -> None:
        """See `Port.close`."""
        if self._closed:
            return
        self._closed = True
        self._receiver = self._lost_handler = None
        if self._unplugged in self.board.on_unplug:
            self.board.on_unplug.remove(self._unplugged)
            self.board.set_host_receiver(None)
        if self._owner:
            await self.board.close()

    def discard(self) -> None:
        """Forget what arrived so far, as a system does when it opens a port."""
        self._kept.clear()

    def _check(self) -> None:
        if self._loss is not None:
            raise self._loss
        if self._closed:
            raise PortLost("The port is closed", port=self._url)

    def _arrived(self, data: bytes) -> None:
        if self._receiver is not None and not self._kept:
            self._receiver(data)
            return
        self._kept += data
        del self._kept[: max(0, len(self._kept) - KEPT_BYTES)]

    def _unplugged(self) -> None:
        self.board.on_unplug.remove(self._unplugged)
        self._loss = PortLost(
            "The virtual board was unplugged", port=self._url, remedy="Plug it in again and open its port anew."
        )
        if not self._flush_pending:
            self._report_loss()

    def _flush(self) -> None:
        self._flush_pending = False
        if self._receiver is not None and self._kept:
            data = bytes(self._kept)
            self._kept.clear()
            self._receiver(data)
        self._report_loss()

    def _report_loss(self) -> None:
        if self._loss is not None and self._lost_handler is not None:
            handler, self._lost_handler = self._lost_handler, None
            handler(self._loss)


async def open_virtual(url: str, *, baud: int = CONSOLE_BAUD) -> VirtualPort:
    """Make a fresh virtual board, wait until it has booted, and open its port.

    As with a real board that has been plugged in for a while, nothing of its boot is to be read any more.

    Args:
        url: `virtual:` with options (`bridge.virtual.options`).
        baud: speed of the host's end.

    Raises:
        UsageError: an option no board can have; or the clock it asks for is not the one of the running loop.
        PortLost: the board was unplugged before it had booted.
    """
    options = parse_url(url)
    if options.clock == "virtual" and not is_virtual(asyncio.get_running_loop()):
        raise UsageError(
            "clock=virtual needs a program that runs on the virtual clock",
            port=url,
            remedy="Run it with bridge.virtual.clock.run(), or leave clock=virtual out.",
        )
    board = VirtualBoard(options)
    await board.start()
    try:
        port = VirtualPort(board, url=url, owner=True)  # it must hear of it when the board is unplugged meanwhile
        await board.answered()
        port.discard()
        await port.set_baud(baud)
    except BaseException:
        await board.close()
        raise
    return port
