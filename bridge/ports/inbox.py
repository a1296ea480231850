"""Where a port keeps what arrived until somebody wants it; shared by every kind of port."""

from __future__ import annotations

import asyncio

from bridge.errors import PortError
from bridge.ports.base import LossHandler, Receiver

#: Bytes kept while there is no receiver; the oldest go first, as in a UART's own ring. A board prints for about
#: eleven seconds at 921 600 baud until this is full.
KEPT_BYTES = 1 << 20


class Inbox:
    """Hands bytes and the loss of the port to whoever is the receiver, in order and each once.

    Bytes kept from before, and a loss from before, are delivered from the event loop soon after `set_receiver`,
    never from inside it.
    """

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._lost_handler: LossHandler | None = None
        self._kept = bytearray()
        self._loss: PortError | None = None
        self._flushing = False

    @property
    def loss(self) -> PortError | None:
        """Why the port is lost, or None."""
        return self._loss

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None) -> None:
        """See `Port.set_receiver`."""
        self._receiver, self._lost_handler = receiver, lost
        if (self._kept or self._loss) and not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def feed(self, data: bytes) -> None:
        """Bytes arrived from the line."""
        if not data:
            return
        if self._receiver is not None and not self._kept:
            self._receiver(data)
            return
        self._kept += data
        if len(self._kept) > KEPT_BYTES:
            del self._kept[: len(self._kept) - KEPT_BYTES]

    def lose(self, error: PortError) -> None:
        """The port went away; only the first reason counts."""
        if self._loss is not None:
            return
        self._loss = error
        if not self._flushing:
            self._report_loss()

    def check(self) -> None:
        """Raise the loss if there was one."""
        if self._loss is not None:
            raise self._loss

    def _flush(self) -> None:
        self._flushing = False
        if self._receiver is not None and self._kept:
            data = bytes(self._kept)
            self._kept.clear()
            self._receiver(data)
        if self._loss is not None:
            self._report_loss()

    def _report_loss(self) -> None:
        if self._loss is not None and self._lost_handler is not None:
            handler, self._lost_handler = self._lost_handler, None
            handler(self._loss)
