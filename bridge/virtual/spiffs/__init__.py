"""The file system of the virtual board, kept in its flash memory.

It is not SPIFFS on flash: nothing outside reads the raw region (tools speak to the `file` module), and a log of
versioned pages makes what SPIFFS only hopes for: after a reset between any two flash operations each file is as it
was before the interrupted change, or as after it. Everything that can be seen from Lua (sizes, limits, modes, the
room a write needs) follows SPIFFS as NodeMCU configures it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.virtual.spiffs.filesystem import FileSystem, Usage
from bridge.virtual.spiffs.geometry import Geometry, geometry
from bridge.virtual.spiffs.handle import Handle, Whence
from bridge.virtual.spiffs.pages import FREE, Busy, Flash

__all__ = [
    "Busy",
    "FileSystem",
    "Geometry",
    "Handle",
    "Mounted",
    "Usage",
    "Whence",
    "format_region",
    "geometry",
    "mount",
]


@dataclass(frozen=True)
class Mounted:
    """A file system, and whether it was there (False: the region is blank or holds something else; format it)."""

    fs: FileSystem
    found: bool


def mount(flash: Flash, address: int, size: int, busy: Busy = FREE) -> Mounted:
    """Find the file system in a partition.

    Args:
        flash: the chip's flash.
        address: first byte of the partition.
        size: bytes of the partition; 0 if there is none.
        busy: what flash operations cost.
    """
    fs = FileSystem(flash, geometry(address, size), busy)
    return Mounted(fs, fs.mount())


def format_region(flash: Flash, address: int, size: int) -> None:
    """Leave an empty file system in a partition, as a shop or an earlier boot did; takes no board time."""
    FileSystem(flash, geometry(address, size)).format()
