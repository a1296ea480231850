"""The latency timer of a USB adapter: how long it holds received bytes back before it sends a short packet.

FTDI adapters wait 16 ms unless told otherwise, and a small call then takes 16 ms longer. Linux lets whoever may open
the port set 1 ms by asking the driver for low latency (`ASYNC_LOW_LATENCY`, drivers/usb/serial/ftdi_sio.c); what the
timer is, the driver tells in /sys. Other adapters have no such timer, or none that can be set.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

#: Milliseconds above which a timer is worth a word.
SHORT_MS = 2


class LowLatency(Protocol):
    """What is needed of pyserial's port."""

    def set_low_latency_mode(self, low_latency_settings: bool) -> None:
        """Ask the driver; raises when it cannot."""


def lower(device: LowLatency) -> None:
    """Ask the driver of an open port for low latency. Where that means nothing, or is not allowed, nothing happens."""
    with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
        device.set_low_latency_mode(True)


def latency_ms(url: str, sys_folder: Path = Path("/sys")) -> int | None:
    """The latency timer of a port in milliseconds, or None where there is none to read.

    Args:
        url: path of the port.
        sys_folder: where the system tells of its devices.
    """
    try:
        name = Path(url).resolve().name
        return int((sys_folder / "class/tty" / name / "device/latency_timer").read_text())
    except (OSError, ValueError):
        return None


def advice(url: str, milliseconds: int) -> str:
    """What to say of a timer that is long although it was asked to be short."""
    name = Path(url).resolve().name
    return (
        f"The adapter holds bytes back for {milliseconds} ms (its latency timer): small calls take that much longer. "
        f"Shorten it with: echo 1 | sudo tee /sys/class/tty/{name}/device/latency_timer"
    )
