"""A flash as it comes from the shop: firmware on it, and its first boot done."""

from __future__ import annotations

from bridge.errors import ImageError
from bridge.virtual.chip.flash import SECTOR_SIZE, FlashMemory
from bridge.virtual.chip.image import parse
from bridge.virtual.chip.make_image import stock_image
from bridge.virtual.chip.startup import Next, pre_init
from bridge.virtual.options import VirtualOptions


def provision(flash: FlashMemory, image: bytes) -> None:
    """Flash a combined image at offset 0 and let its first boot set the flash up, in no time.

    Raises:
        ImageError: it would not boot; says why.
    """
    if len(image) > flash.size:
        raise ImageError(f"The image has {len(image)} bytes, the flash only {flash.size}")
    flash.erase(0, -(-len(image) // SECTOR_SIZE) * SECTOR_SIZE)
    flash.program(0, image)
    found = parse(image)
    if found is None or not found.valid:
        raise ImageError("The boot ROM would not start this image", remedy="Give a whole binary for offset 0.")
    for _ in range(2):
        outcome = pre_init(flash, found)
        if outcome.next is Next.RUN:
            return
    raise ImageError(f"The firmware would not start: {outcome.why}")


async def provision_if_empty(flash: FlashMemory, options: VirtualOptions) -> bool:
    """Give a new flash its factory firmware; True if it was empty and got one.

    A flash that holds anything at offset 0 (a `flash_file` from before) is left as it is, and so is one of a board
    that is to be blank, or too small for NodeMCU 3.x.
    """
    if options.blank or flash.size < 1 << 20 or flash.read(0, SECTOR_SIZE).strip(b"\xff"):
        return False
    provision(flash, await stock_image(options))
    return True
