"""Reset sequences over the network: the server finishes what a distant client begins.

A client of a serial port over the network cannot make the quick edges of a reset sequence (pyserial's waits at least
50 ms for the acknowledgement of each), and a devkit's reset circuit needs GPIO0 low within milliseconds of EN's rise.
So the server recognises the sequence and makes the decisive edge itself, as Espressif's own server does
(esp_rfc2217_server in espressif/esptool).
"""

from __future__ import annotations

import asyncio
from typing import Protocol

#: How long the server keeps EN low in wait for the edge that makes a reset one into download mode, in seconds.
SEQUENCE_S = 0.4
#: How long GPIO0 at least stays low when a reset has ended with it low, in seconds.
STRAP_S = 0.05


class SetLines(Protocol):
    """Drives an adapter's DTR and RTS; True is asserted."""

    def __call__(self, *, dtr: bool, rts: bool) -> None: ...


class Lines:
    """DTR and RTS of one client, on their way to the board.

    Everything goes through at once but one edge: when RTS alone holds the chip in reset and DTR is asserted too, the
    reset would end with GPIO0 high. A sequence into download mode releases RTS next; so the server waits for that,
    and gives both edges to the board in one. GPIO0 then stays low for a while, so that a host that was busy and saw
    several edges at once still gets what was meant.

    Args:
        apply: drives the adapter's lines: DTR and RTS.
    """

    def __init__(self, apply: SetLines) -> None:
        self._set_lines = apply
        self.dtr = False
        self.rts = False
        self._applied = (False, False)
        self._waiting: asyncio.TimerHandle | None = None
        self._strapped_until = 0.0

    def set(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """A line as the client wants it; None leaves it."""
        self.dtr = self.dtr if dtr is None else dtr
        self.rts = self.rts if rts is None else rts
        self._stop_waiting()
        loop = asyncio.get_running_loop()
        if self._applied == (False, True) and (self.dtr, self.rts) == (True, True):
            self._waiting = loop.call_later(SEQUENCE_S, self._apply)
        elif loop.time() < self._strapped_until and (self.dtr, self.rts) != (False, True):
            self._waiting = loop.call_at(self._strapped_until, self._apply)
        else:
            self._apply()

    def release(self) -> None:
        """Let go of both lines at once, as an adapter does when its port is closed."""
        self.dtr = self.rts = False
        self._stop_waiting()
        self._apply()

    def _apply(self) -> None:
        self._waiting = None
        before, self._applied = self._applied, (self.dtr, self.rts)
        if before == (False, True) and self._applied == (True, False):
            self._strapped_until = asyncio.get_running_loop().time() + STRAP_S
        self._set_lines(dtr=self.dtr, rts=self.rts)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
