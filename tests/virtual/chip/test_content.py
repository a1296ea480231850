from __future__ import annotations

from bridge.virtual.chip import content
from bridge.virtual.chip.layout import (
    IROM_ADDRESS,
    PartitionType,
    find,
    needs_first_time_setup,
    unpack_table,
)
from bridge.virtual.chip.make_image import Recipe
from bridge.virtual.chip.seal import SECTOR, Seal, broken_sector

RECIPE = Recipe(("net", "node"))


def test_sections_are_where_a_stock_build_has_them() -> None:
    sections = {section.name: section for section in content.sections(RECIPE)}
    assert sections[".text"].address == 0x40100000 and len(sections[".text"].data) <= 0x8000
    assert sections[".rodata"].address == sections[".data"].address + len(sections[".data"].data)
    assert sections[".irom0.text"].address == IROM_ADDRESS


def test_irom_begins_with_the_partition_table_and_the_word_that_init_data_is_there() -> None:
    irom = content.sections(RECIPE)[-1].data
    assert irom[:4] == bytes([18, 1, 0, 0])
    table = unpack_table(irom[4 : 4 + 72])
    last = find(table, PartitionType.SYSTEM_PARAMETER)
    assert last is not None and last.end == RECIPE.flash_size
    assert irom[76:84] == bytes([1, 2, 0, 0]) + (0xF000).to_bytes(4, "little")
    assert irom[84:SECTOR] == b"\xff" * (SECTOR - 84)


def test_fresh_irom_begins_with_the_table_of_a_build() -> None:
    irom = content.sections(Recipe(("net", "node"), fresh=True))[-1].data
    assert irom[:4] == bytes([24, 1, 0, 0])
    table = unpack_table(irom[4 : 4 + 96])
    assert needs_first_time_setup(table) and table[-1].address == IROM_ADDRESS + len(irom)
    assert irom[100:SECTOR] == b"\xff" * (SECTOR - 100)


def test_the_seal_covers_the_irom() -> None:
    *_, rodata, irom = content.sections(RECIPE)
    seal = Seal.find(rodata.data)
    assert seal is not None and len(seal.digests) == len(irom.data) // SECTOR
    assert broken_sector(seal, irom.data) is None


def test_same_recipe_same_content() -> None:
    assert content.sections(RECIPE) == content.sections(Recipe(("net", "node")))
    assert content.digest(RECIPE) != content.digest(Recipe(("net",)))


def test_file_system_stays_where_it_is_when_the_module_list_changes() -> None:
    sizes = {len(content.sections(Recipe(names))[-1].data) for names in [(), ("net",), tuple("abcdefghijklmnopqrst")]}
    assert len(sizes) == 1
    many = tuple(f"m{n}" for n in range(90))
    assert len(content.sections(Recipe(many))[-1].data) not in sizes
