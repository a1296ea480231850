"""A port that is traced: every write, every piece that arrives, every change of its lines and its speed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.errors import BridgeError, PortError
from bridge.ports.base import CONSOLE_BAUD, LossHandler, Port, Receiver
from bridge.ports.inbox import Inbox
from bridge.ports.open import open_port
from bridge.trace.recorder import Recorder
from bridge.wire.frame import Codec


class TracedPort:
    """A port around another one; satisfies `bridge.ports.base.Port`.

    Bytes are recorded when they arrive, also while there is no receiver.

    Args:
        port: open; what it keeps of earlier bytes counts as arriving now.
        recorder: gets everything; closed with the port.
        owner: closing this closes the port too; else the port is given back without a receiver.
    """

    def __init__(self, port: Port, recorder: Recorder, *, owner: bool = True) -> None:
        self._port = port
        self._owner = owner
        self._inbox = Inbox()
        self._closed = False
        self.recorder = recorder
        recorder.note("open", baud=port.baud)
        port.set_receiver(self._arrived, self._lost)

    @property
    def url(self) -> str:
        """See `Port.url`."""
        return self._port.url

    @property
    def baud(self) -> int:
        """See `Port.baud`."""
        return self._port.baud

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        """See `Port.set_receiver`."""
        self._inbox.set_receiver(receiver, lost)

    def write(self, data: bytes) -> None:
        """See `Port.write`."""
        self.recorder.sent(data)  # first: a port without a line answers from inside `write`
        try:
            self._port.write(data)
        except PortError as error:
            self.recorder.fault(str(error))
            raise

    async def drain(self) -> None:
        """See `Port.drain`."""
        await self._port.drain()

    async def set_baud(self, baud: int) -> None:
        """See `Port.set_baud`."""
        try:
            await self._port.set_baud(baud)
        except PortError as error:
            self.recorder.fault(str(error))
            raise
        self.recorder.note("baud", baud=baud)

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """See `Port.set_lines`."""
        self.recorder.note("lines", **{name: on for name, on in (("dtr", dtr), ("rts", rts)) if on is not None})
        try:
            await self._port.set_lines(dtr=dtr, rts=rts)
        except PortError as error:
            self.recorder.fault(str(error))
            raise

    async def close(self) -> None:
        """See `Port.close`. The trace ends here."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._owner:
                await self._port.close()
            else:
                self._port.set_receiver(None)
        finally:
            self._inbox.set_receiver(None, None)
            self.recorder.note("close")
            self.recorder.close()

    def _arrived(self, data: bytes) -> None:
        self.recorder.received(data)
        self._inbox.feed(data)

    def _lost(self, error: PortError) -> None:
        self.recorder.fault(str(error))
        self._inbox.lose(error)


async def open_traced(url: str, *, baud: int = CONSOLE_BAUD, trace: str | Path | None = None) -> Port:
    """Open a port as `bridge.ports.open.open_port` does, and trace it if a file is given.

    Args:
        url: the port.
        baud: speed of the line, in baud.
        trace: the file; an existing trace is overwritten.

    Raises:
        UsageError: the trace cannot be written; the port has not been touched then.
        PortNotFound, PortBusy, PortError: as `open_port`.
    """
    if trace is None:
        return await open_port(url, baud=baud)
    recorder = Recorder(trace, url, asyncio.get_running_loop())
    try:
        return TracedPort(await open_port(url, baud=baud), recorder)
    except BaseException as error:
        if isinstance(error, BridgeError):
            recorder.fault(str(error))
        recorder.close()
        raise


def announce(port: Port, session: object, codec: Codec, *, damage: float) -> None:
    """Tell the trace of a port, if it has one, that a session begins or has just begun.

    Args:
        port: any port.
        session: tells sessions apart: saying the same of the same one again does nothing.
        codec: of its frames.
        damage: share of damaged bytes that the session was told to start from (`Session`).
    """
    if (recorder := _recorder_of(port)) is not None:
        recorder.begin(session, codec, baud=port.baud, damage=damage)


def note(port: Port, text: str, **facts: object) -> None:
    """Write a note into the trace of a port, if it has one. It is elided; facts as for `Recorder.note`."""
    if (recorder := _recorder_of(port)) is not None:
        recorder.note(text, **facts)


def _recorder_of(port: Port) -> Recorder | None:
    """That of a traced port, or of one around it which says so."""
    recorder = getattr(port, "recorder", None)
    return recorder if isinstance(recorder, Recorder) else None
