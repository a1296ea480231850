"""Images of virtual boards for tests, made once per run by esptool's image tools."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from bridge.image import ImagePart
from bridge.virtual.chip.make_image import stock_image
from bridge.virtual.options import VirtualOptions


@cache
def image(modules: str = "file,gpio,net,node,ow,tmr,uart,wifi", lua: str = "5.1", size: int = 4 << 20) -> bytes:
    """A combined image with these modules, for a flash of this size in bytes."""
    options = VirtualOptions(modules=modules, lua=lua, flash_size=size)
    # On a thread of its own, so that tests may ask from inside a running loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(stock_image(options))).result()


def parts(data: bytes, name: str = "firmware.bin") -> list[ImagePart]:
    """An image for offset 0."""
    return [ImagePart(0, data, name)]
