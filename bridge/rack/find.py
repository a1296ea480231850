"""Finds the port of a place's board, also after it was plugged in elsewhere: boards are known by their MAC addresses.

Where a board was found is written down with what the system says of the device there, so that a board which has not
moved is not asked again. Asking opens a port, under its lock: those of boards that others hold are left alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.errors import BridgeError, PortBusy, PortNotFound, UsageError, WrongBoard
from bridge.identify import identify, identify_all
from bridge.ports.base import PortInfo
from bridge.ports.discover import list_boards
from bridge.rack.model import Place
from bridge.rack.record import write_record
from bridge.rack.state import board_key, is_device
from bridge.rack.told import read_told

_KIND = ".where"


@dataclass(frozen=True)
class Found:
    """Where a board is."""

    url: str
    note: str = ""
    """That it is not where it was, in a sentence."""


class Finder:
    """Finds boards.

    Args:
        places: of the rack.
        folder: its state folder.
        ports: lists the adapters there are; for tests.

    Attributes:
        places: of the rack.
    """

    def __init__(
        self, places: Sequence[Place], folder: Path, ports: Callable[[], Sequence[PortInfo]] = list_boards
    ) -> None:
        self.places = places
        self._folder, self._list = folder, ports

    async def find(self, place: Place) -> Found:
        """The port of a place's board; the caller holds the board's lock.

        Raises:
            PortNotFound: it is not there.
            WrongBoard: another board is there, and the one that is meant is nowhere.
            PortBusy: somebody without a lease has its port.
            UsageError: it cannot be told which adapter is meant.
        """
        if place.port is not None and not is_device(place.port):
            return Found(place.port)  # whether it is the right board shows when it is opened
        ports = self._list()
        url = _named(place, ports)
        if place.mac is None:
            if url is None:
                raise PortNotFound(
                    f"{place.name}: there is no adapter with {place.where}",
                    port=place.where,
                    remedy="Plug the board in, or see which there are with `nodemcu-bridge boards`.",
                )
            return Found(url)
        before = self._before(place)
        known = before.get("url")
        # Another user may have written it: what is opened is an adapter, or what the file names.
        if known is not None and (known == url or known in {info.url for info in ports}):
            if before.get("device") == _device(known) is not None:
                return Found(known)
        trouble: BridgeError | None = None
        if url is not None and _device(url) is not None:
            one = await identify(url)
            if one.mac is not None and one.mac.lower() == place.mac:
                return self._found(place, url, "")
            trouble = one.trouble if one.mac is None else self._wrong(place, url, one.mac)
            if isinstance(one.trouble, PortBusy):
                raise one.trouble
        elsewhere = await self._elsewhere(place, [info.url for info in ports if info.url != url])
        if elsewhere is not None:
            return self._found(
                place, elsewhere, f"{place.name} is on {elsewhere} now, not where it was ({place.where})"
            )
        raise trouble or PortNotFound(
            f"{place.name}: the board with the MAC address {place.mac} is not there",
            port=place.where,
            remedy="Plug it in, or see which there are with `nodemcu-bridge boards --probe`.",
        )

    async def _elsewhere(self, place: Place, urls: Sequence[str]) -> str | None:
        answers = await identify_all(urls)
        for url, one in zip(urls, answers, strict=True):
            if one.mac is not None and one.mac.lower() == place.mac:
                return url
        return None

    def _wrong(self, place: Place, url: str, mac: str) -> WrongBoard:
        return wrong_board(place, url, mac, self.places)

    def _before(self, place: Place) -> dict[str, Any]:
        """Where it was found the last time, by any user's word."""
        found: list[tuple[float, dict[str, Any]]] = []
        key = board_key(place)
        with contextlib.suppress(OSError):
            for file in self._folder.iterdir():
                if file.name.startswith(f"{key}.") and file.suffix == _KIND:
                    said = read_told(str(file)) or {}
                    if isinstance(said.get("url"), str):
                        found.append((file.lstat().st_mtime, said))
        return max(found, key=lambda pair: pair[0])[1] if found else {}

    def _found(self, place: Place, url: str, note: str) -> Found:
        base = str(self._folder / f"{board_key(place)}.{os.getuid()}")
        try:
            write_record(base, {"url": url, "device": _device(url)}, _KIND)
        except OSError:
            pass  # then it is asked again the next time
        return Found(url, note)


def wrong_board(place: Place, url: str, mac: str, places: Sequence[Place]) -> WrongBoard:
    """What to say of a board that is not the one of its place."""
    owner = next((other.name for other in places if other.mac == mac.lower()), None)
    whose = f", which is the board of {owner}" if owner is not None else ""
    return WrongBoard(
        f"{place.name}: the board on {url} has the MAC address {mac.lower()}{whose}; the rack file says {place.mac}",
        port=url,
        remedy="Put the right board there, or correct the rack file.",
    )


def _named(place: Place, ports: Sequence[PortInfo]) -> str | None:
    """The device that the file's words mean now, or None."""
    if place.port is not None:
        return place.port
    if place.usb_path is not None:
        return next((info.url for info in ports if info.usb_path == place.usb_path), None)
    if place.serial_number is None:
        return None
    found = [info.url for info in ports if info.serial_number == place.serial_number]
    if len(found) > 1 and place.mac is None:
        raise UsageError(
            f"{place.name}: {', '.join(found)} all have the {place.where}",
            port=found[0],
            remedy="Say in the rack file which is meant, by usb_path or by mac.",
        )
    return found[0] if found else None


def _device(url: str) -> list[int] | None:
    """What the system says of a device: the same as long as it was not plugged in anew."""
    try:
        said = os.stat(url)
    except OSError:
        return None
    return [said.st_rdev, said.st_ino, said.st_ctime_ns]
