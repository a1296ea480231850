"""Files of a running board, kept over a flash that moves its file system: read before, put back after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import LuaError
from bridge.files.names import scratch_tag
from bridge.flashing.kept import Kept, Place
from bridge.flashing.table import after_first_boot, file_system, read_table, records_of
from bridge.image import ImagePart
from bridge.opening import open_board

#: Told of each file: its name, and how many of how many.
Told = Callable[[str, int, int], None]
#: Third byte of a flash chip's number → bytes, as esptool reads it (DETECTED_FLASH_SIZES of esptool/cmds.py).
_CHIP_SIZES = {code + step: 1 << (18 + step) for code in (0x12, 0x32) for step in range(7)}


@dataclass(frozen=True)
class Here:
    """What a running board tells of itself and its files."""

    board: str
    """The last three bytes of its MAC address, six hexadecimal digits."""
    place: Place | None
    """Where its file system is: of 3.x the partition, of 2.x what the file system uses; None if it does not tell."""
    stays: bool
    """An image has its file system at the same place, of the same size."""


async def look_at_files(url: str, parts: list[ImagePart]) -> Here:
    """Ask a running board where its files are, and look where an image would have them.

    The image will be written with the size of the chip in its header. So that size counts, not `node.flashsize`, which
    on stock firmware is what stands in the header of the firmware that runs (app/platform/flash_api.c).

    Args:
        url: port of the board.
        parts: of the image.

    Raises:
        BridgeError: no NodeMCU answers.
    """
    async with open_board(url) as board:
        who = f"{await board.node.chipid() & 0xFFFFFF:06x}"
        try:
            # Not file.fscfg(): that is what the file system uses of its partition.
            now = await board.node.getpartitiontable()
        except LuaError:
            return Here(who, await board.file.fscfg(), stays=False)  # a firmware before 3.x
        place = (int(now["spiffs_addr"]), int(now["spiffs_size"]))
        size = _CHIP_SIZES.get(await board.node.flashid() >> 16 & 0xFF)
    if size is None:
        return Here(who, place, stays=False)
    after = file_system(after_first_boot(read_table(records_of(parts)), size))
    return Here(who, place, stays=after is not None and (after.at, after.size) == place)


async def read_files(url: str, told: Told | None = None) -> dict[str, bytes]:
    """All files of a board, each compared by a digest that the board makes.

    Args:
        url: port of the board.
        told: of each file.

    Returns:
        Names on the board, and contents; what an upload that was cut off has left behind is not among them.

    Raises:
        BridgeError: no NodeMCU with the module `file` answers, or a file could not be read.
    """
    async with open_board(url) as board:
        names = [
            name for name in await board.files.ls() if scratch_tag(name.encode("utf-8", "surrogateescape")) is None
        ]
        files = {}
        for number, name in enumerate(names, 1):
            if told is not None:
                told(name, number, len(names))
            files[name] = await board.files.get(name)
    return files


async def put_files(url: str, kept: Kept, *, replace: bool = True, told: Told | None = None) -> list[str]:
    """Put saved files back on a board. What is back is kept no longer; what remains is put by the next call.

    Args:
        url: port of the board.
        kept: its saved files.
        replace: also files that are there with other contents; else the board's own one stays, and the saved one goes.
        told: of each file.

    Returns:
        Names of those that had to be written; the others were there.

    Raises:
        BridgeError: the board does not answer, or its file system is full.
    """
    files = kept.read()
    written = []
    async with open_board(url) as board:
        there = await board.files.ls()
        for number, (name, data) in enumerate(files.items(), 1):
            if told is not None:
                told(name, number, len(files))
            if name not in there or (replace and not await board.files.holds(name, data)):
                await board.files.put(name, data)
                written.append(name)
            kept.back(name)
    kept.drop()
    return written
