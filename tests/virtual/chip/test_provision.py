from __future__ import annotations

import asyncio

import pytest

from bridge.errors import ImageError
from bridge.virtual.chip import rcr
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.image import parse
from bridge.virtual.chip.make_image import Recipe, make
from bridge.virtual.chip.provision import provision, provision_if_empty
from bridge.virtual.chip.startup import Next, pre_init
from bridge.virtual.options import VirtualOptions


def test_factory_flash_boots_at_once() -> None:
    flash = FlashMemory()
    assert asyncio.run(provision_if_empty(flash, VirtualOptions(modules="node,net")))
    image = parse(flash.read(0, 0x10000))
    assert image is not None
    outcome = pre_init(flash, image)
    assert outcome.next is Next.RUN and outcome.facts is not None
    assert outcome.facts.modules == ("net", "node")
    assert rcr.partition_table(flash) is not None


def test_what_is_flashed_already_stays() -> None:
    flash = FlashMemory()
    flash.program(0, b"mine")
    assert not asyncio.run(provision_if_empty(flash, VirtualOptions()))
    assert flash.read(0, 5) == b"mine\xff"


@pytest.mark.parametrize("options", [VirtualOptions(blank=True), VirtualOptions(flash_size=1 << 19)])
def test_a_blank_or_small_flash_stays_empty(options: VirtualOptions) -> None:
    flash = FlashMemory(options.flash_size)
    assert not asyncio.run(provision_if_empty(flash, options))
    assert flash.read(0, 0x10000) == b"\xff" * 0x10000


def test_an_image_that_would_not_boot_is_refused() -> None:
    image = make(Recipe(("node",)))
    with pytest.raises(ImageError, match="boot ROM would not start"):
        provision(FlashMemory(), image[:100])
    with pytest.raises(ImageError, match="says 4 MB of flash, the chip has 1024 KB"):
        provision(FlashMemory(1 << 20), image)
    with pytest.raises(ImageError, match="the flash only 524288"):
        provision(FlashMemory(1 << 19), image + bytes(1 << 20))
