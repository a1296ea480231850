"""A port that counts what passes."""

from __future__ import annotations

from bridge.ports.base import LossHandler, Port, Receiver
from bridge.trace import Recorder, TracedPort


class CountingPort:
    """A port that passes everything on to another, and counts the bytes.

    Args:
        port: open; its owner closes it.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        #: Bytes written so far.
        self.written = 0
        #: Bytes that a receiver got so far.
        self.received = 0

    @property
    def url(self) -> str:
        """See `Port.url`."""
        return self._port.url

    @property
    def baud(self) -> int:
        """See `Port.baud`."""
        return self._port.baud

    @property
    def recorder(self) -> Recorder | None:
        """What records the port, if it is traced."""
        return self._port.recorder if isinstance(self._port, TracedPort) else None

    @property
    def moved(self) -> int:
        """Bytes so far, both ways."""
        return self.written + self.received

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        """See `Port.set_receiver`."""
        if receiver is None:
            self._port.set_receiver(None, lost)
            return
        take = receiver

        def counted(data: bytes) -> None:
            self.received += len(data)
            take(data)

        self._port.set_receiver(counted, lost)

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        self._port.write(data)
        self.written += len(data)

    async def drain(self) -> None:
        """See `Port.drain`."""
        await self._port.drain()

    async def set_baud(self, baud: int) -> None:
        """See `Port.set_baud`."""
        await self._port.set_baud(baud)

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """See `Port.set_lines`."""
        await self._port.set_lines(dtr=dtr, rts=rts)

    async def close(self) -> None:
        """See `Port.close`."""
        await self._port.close()
