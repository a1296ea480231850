"""Remembers which speed of the line a board on an adapter bears, so that the next opening does not try in vain.

Kept in a JSON file of the user's. It is only a hint: each speed is proven again before it is used, and a file that
cannot be read or written costs nothing but time.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bridge.errors import UsageError
from bridge.folders import state_folder
from bridge.link import Link
from bridge.ports.discover import list_boards

#: Days after which the faster ones are tried again: a better cable may have come.
_DAYS = 14
#: Boards that are remembered; the ones not seen for longest are forgotten.
_MOST = 200


def default_file() -> Path | None:
    """The user's file, by the XDG rules for state; None where there is no home folder."""
    with contextlib.suppress(UsageError):
        return state_folder() / "speeds.json"
    return None


def adapter_of(url: str) -> str | None:
    """What names the adapter of a port, or None for one that has no identity (a pseudo-terminal, a virtual board)."""
    if url.startswith("rfc2217://"):
        return url
    for info in list_boards():
        if info.url == url or os.path.realpath(info.url) == os.path.realpath(url):
            return f"{info.usb_vendor:04x}:{info.usb_product:04x}:{info.serial_number or info.usb_path or ''}"
    return None


class SpeedMemory:
    """Speeds by adapter and board.

    Args:
        file: where they are kept; the user's own by default. Without a home folder none is.
        clock: seconds since 1970.
    """

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._file = file or default_file()
        self._clock = clock

    def order(self, key: str, speeds: Iterable[int]) -> tuple[int, ...]:
        """Which of some speeds to try, in their order: those above the remembered one were tried in vain."""
        entry = self._read().get(key)
        everything = tuple(speeds)
        if entry is None or not self._counts(entry):
            return everything
        return tuple(speed for speed in everything if speed <= entry["baud"])

    def remember(self, key: str, baud: int) -> None:
        """Keep a speed that was proven, in baud. What is known already is not written again."""
        if self._file is None:
            return
        entries = self._read()
        known = entries.get(key)
        if known is not None and known["baud"] == baud and self._counts(known):
            return
        entries.pop(key, None)
        entries[key] = {"baud": baud, "at": self._clock()}
        for oldest in list(entries)[:-_MOST]:
            del entries[oldest]
        with contextlib.suppress(OSError):
            _write(self._file, entries)

    def _counts(self, entry: dict[str, float]) -> bool:
        # What is of later than now was written by a wrong clock, and would count for ever.
        return 0 <= self._clock() - entry["at"] <= _DAYS * 86_400

    def _read(self) -> dict[str, dict[str, float]]:
        if self._file is None:
            return {}
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                return {}
            return {
                key: {"baud": int(entry["baud"]), "at": float(entry["at"])}
                for key, entry in content.items()
                if isinstance(entry, dict) and _is_number(entry.get("baud")) and _is_number(entry.get("at"))
            }
        except (OSError, ValueError, OverflowError, RecursionError):
            return {}


async def climb(link: Link, url: str, speeds: tuple[int, ...], memory: SpeedMemory | None) -> None:
    """Make a link's line as fast as it bears, by what is remembered of the board on this adapter.

    Raises:
        LinkError: the board was lost on the way.
    """
    adapter = adapter_of(url) if memory is not None and speeds else None
    if memory is None or adapter is None:
        await link.climb(speeds)
        return
    key = f"{adapter} {(await link.call('node.chipid'))[0]}"
    memory.remember(key, await link.climb(memory.order(key, speeds)))


def _write(path: Path, entries: dict[str, dict[str, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another program may do the same at the same time: whole files replace each other.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=1)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
