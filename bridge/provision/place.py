"""Finds the port of a board by where its adapter is, also after it has come back under another name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from bridge.errors import PortNotFound
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.provision.plan import Place


class Finder:
    """Finds one board's port, and finds it again.

    Args:
        place: what the file says.
        ports: lists the adapters there are.
    """

    def __init__(self, place: Place, ports: Callable[[], Sequence[PortInfo]] = list_boards) -> None:
        self._place = place
        self._ports = ports
        self._seen: PortInfo | None = None

    def find(self) -> str:
        """URL of the port.

        A port that was seen before is looked for by its place on USB and its serial number when it is gone.

        Raises:
            PortNotFound: no adapter there is the one.
        """
        place = self._place
        if place.port is not None and ("://" in place.port or place.port.startswith("virtual:")):
            return place.port
        ports = self._ports()
        if place.port is not None:
            wanted = os.path.realpath(place.port)
            known = next((info for info in ports if os.path.realpath(info.url) == wanted), None)
            if known is not None:
                self._seen = known
                return place.port
            again = self._again(ports)
            return again.url if again is not None else place.port  # opening it says what is wrong
        for info in ports:
            if (place.usb_path is not None and info.usb_path == place.usb_path) or (
                place.serial_number is not None and info.serial_number == place.serial_number
            ):
                return info.url
        what = f"at USB path {place.usb_path}" if place.usb_path else f"with serial number {place.serial_number}"
        raise PortNotFound(
            f"There is no adapter {what}",
            remedy="Plug the board in, or see which there are with `nodemcu-bridge boards`.",
        )

    def _again(self, ports: Sequence[PortInfo]) -> PortInfo | None:
        seen = self._seen
        if seen is None or (seen.usb_path is None and seen.serial_number is None):
            return None
        return next(
            (info for info in ports if info.usb_path == seen.usb_path and info.serial_number == seen.serial_number),
            None,
        )
