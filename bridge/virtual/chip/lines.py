"""From the adapter's DTR and RTS to the chip's EN and GPIO0: the two cross-coupled transistors of a devkit.

Each transistor conducts when its own line is asserted and the other is not, so that both lines asserted together
(as an opened port leaves them) do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

#: A pulse on EN that is shorter does not discharge its capacitor (100 nF through the transistor), in seconds.
SHORTEST_RESET_S = 100e-6
#: EN rises through 10 kOhm into the capacitor: about 1 ms to the chip's threshold, in seconds.
EN_RISE_S = 1.2e-3
#: From EN's rise until the boot ROM reads the strapping pins, in seconds.
STRAP_READ_S = 3e-3


@dataclass(frozen=True)
class Levels:
    """Levels at the chip: True is high."""

    en: bool = True
    gpio0: bool = True


def levels(dtr: bool, rts: bool) -> Levels:
    """What DTR and RTS (True is asserted, electrically low) do to the chip."""
    return Levels(en=not (rts and not dtr), gpio0=not (dtr and not rts))
