"""Finds ports a board may be on. Opens none: opening may reset a board, and may disturb another program."""

from __future__ import annotations

from serial.tools import list_ports

from bridge.errors import PortNotFound, UsageError
from bridge.ports.base import PortInfo


def list_boards() -> list[PortInfo]:
    """The USB serial ports of this computer, sorted by name.

    Ports without a USB identity (a PC's own COM1, a terminal on a chip's pins) are left out: they are always listed
    by the system, with or without a board.
    """
    found = []
    for port in list_ports.comports():
        if port.vid is None:
            continue
        found.append(
            PortInfo(
                url=port.device,
                description=port.description if port.description not in (None, "n/a") else "",
                usb_vendor=port.vid,
                usb_product=port.pid,
                serial_number=port.serial_number or None,
                usb_path=port.location or None,
            )
        )
    return sorted(found, key=lambda info: info.url)


def is_listed(name: str) -> bool:
    """True for a port that the system lists, with or without a USB identity.

    Args:
        name: as the system has it; COM5 may also be written com5 or \\\\.\\COM5.
    """
    wanted = name.removeprefix("\\\\.\\").upper()
    return any(str(port.device).upper() == wanted for port in list_ports.comports())


def only_board() -> PortInfo:
    """The one port found, for commands that were given none.

    Raises:
        PortNotFound: there is none.
        UsageError: there are several; names them.
    """
    found = list_boards()
    if not found:
        raise PortNotFound(
            "No USB serial port was found",
            remedy="Plug a board in, or name a port with --port (virtual: is a board without hardware).",
        )
    if len(found) > 1:
        raise UsageError(
            f"Several ports were found: {', '.join(info.url for info in found)}", remedy="Choose one with --port."
        )
    return found[0]
