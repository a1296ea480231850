from __future__ import annotations

import pytest

from bridge.image.boot import loaded_bytes, read_boot
from bridge.image.parts import ImagePart
from bridge.image.seal import broken_sector
from bridge.virtual.chip.make_image import Recipe, make
from tests.image import stock_shape


def loaded(data: bytes) -> bytes:
    part = ImagePart(0, data)
    return b"".join(loaded_bytes(part, read_boot(part)))


@pytest.mark.parametrize("modules", [("net",), ("net", "tls")])
def test_every_sector_counts_but_those_that_the_firmware_writes(modules: tuple[str, ...]) -> None:
    data = make(Recipe(modules))
    ram, code = loaded(data), data[0x10000:]
    assert broken_sector(ram, code) is None
    found = []
    for sector in range(len(code) // 4096):
        at = sector * 4096 + 7
        found.append(broken_sector(ram, code[:at] + bytes([code[at] ^ 1]) + code[at + 1 :]))
    written = {1, 2} if "tls" in modules else set()
    assert found == [None if sector in written else sector for sector in range(len(found))]


def test_a_stock_build_has_none() -> None:
    data = stock_shape.image()
    assert broken_sector(loaded(data), data[0x10000:]) is None


def test_a_seal_that_is_cut_says_nothing() -> None:
    ram = loaded(make(Recipe(("net",))))
    at = ram.index(b"nodemcu-bridge seal 2")
    for length in (10, 25, 31, 40):
        assert broken_sector(ram[: at + length], b"") is None or length >= 36
