from __future__ import annotations

from bridge.virtual.chip import content
from bridge.virtual.chip.layout import IROM_ADDRESS, needs_first_time_setup, unpack_table
from bridge.virtual.chip.make_image import Recipe
from bridge.virtual.chip.seal import SECTOR, Seal, broken_sector

RECIPE = Recipe(("net", "node"))


def test_sections_are_where_a_stock_build_has_them() -> None:
    sections = {section.name: section for section in content.sections(RECIPE)}
    assert sections[".text"].address == 0x40100000 and len(sections[".text"].data) <= 0x8000
    assert sections[".rodata"].address == sections[".data"].address + len(sections[".data"].data)
    assert sections[".irom0.text"].address == IROM_ADDRESS


def test_irom_begins_with_the_partition_table_of_a_fresh_build() -> None:
    irom = content.sections(RECIPE)[-1].data
    assert irom[:4] == bytes([24, 1, 0, 0])
    table = unpack_table(irom[4 : 4 + 96])
    assert needs_first_time_setup(table) and table[-1].address == IROM_ADDRESS + len(irom)
    assert irom[100:SECTOR] == b"\xff" * (SECTOR - 100)


def test_the_seal_covers_the_irom() -> None:
    *_, rodata, irom = content.sections(RECIPE)
    seal = Seal.find(rodata.data)
    assert seal is not None and len(seal.digests) == len(irom.data) // SECTOR
    assert broken_sector(seal, irom.data, fresh=True) is None


def test_same_recipe_same_content() -> None:
    assert content.sections(RECIPE) == content.sections(Recipe(("net", "node")))
    assert content.digest(RECIPE) != content.digest(Recipe(("net",)))
