"""Pages in NOR flash: found again, collected, never half there."""

from __future__ import annotations

import random

import pytest

from bridge.virtual.chip.flash import FlashMemory, PowerCut
from bridge.virtual.spiffs.geometry import Geometry
from bridge.virtual.spiffs.pages import Busy, Key, PageStore, StoreFull

PLACE = Geometry(0x10000, 0x8000, 8192)  # 4 blocks, 31 pages each


def formatted() -> tuple[FlashMemory, PageStore]:
    flash = FlashMemory(512 * 1024)
    store = PageStore(flash, PLACE)
    store.format()
    return flash, store


def again(flash: FlashMemory) -> PageStore:
    store = PageStore(flash, PLACE)
    assert store.mount()
    return store


def test_pages_are_found_again() -> None:
    flash, store = formatted()
    keys = [Key(1, span, store.next_sequence()) for span in range(40)]
    for key in keys:
        store.write(key, b"%d" % key.span * 20)
    store.delete(keys[3])
    store = again(flash)
    assert sorted(store.keys()) == [key for key in keys if key != keys[3]]
    assert store.read(keys[7]).startswith(b"7" * 20)
    assert store.next_sequence() > keys[-1].sequence


def test_stale_pages_make_room() -> None:
    _, store = formatted()
    kept = [Key(1, span, store.next_sequence()) for span in range(50)]
    for key in kept:
        store.write(key, b"kept %d" % key.span)
    for _ in range(500):
        key = Key(2, 0, store.next_sequence())
        store.write(key, b"x" * 256)
        store.delete(key)
    assert all(store.read(key).startswith(b"kept %d" % key.span) for key in kept)


def test_a_full_store_says_so() -> None:
    _, store = formatted()
    count = 0
    with pytest.raises(StoreFull):
        while True:
            store.write(Key(1, count, store.next_sequence()), b"")
            count += 1
    assert count == 3 * 31  # one block is kept to collect into


@pytest.mark.parametrize("seed", range(20))
def test_a_page_is_there_whole_or_not_at_all(seed: int) -> None:
    flash, store = formatted()
    dice = random.Random(seed)
    live: dict[Key, bytes] = {}
    for _ in range(30):
        flash.cut_power_after(dice.randrange(20000))
        doubtful: Key | None = None
        try:
            for _ in range(40):
                if len(live) > 55 or (live and dice.random() < 0.45):
                    doubtful = dice.choice(sorted(live))
                    store.delete(doubtful)
                    del live[doubtful]
                else:
                    doubtful = Key(1, dice.randrange(1000), store.next_sequence())
                    data = bytes([dice.randrange(256)]) * 256
                    store.write(doubtful, data)
                    live[doubtful] = data
        except PowerCut:
            pass
        flash.cut_power_after(None)
        store = again(flash)
        found = set(store.keys())
        assert found ^ set(live) <= {doubtful}
        if doubtful in found and doubtful not in live:
            store.delete(doubtful)
        live = {key: data for key, data in live.items() if key in found}
        assert all(store.read(key) == data for key, data in live.items())


def test_another_geometry_is_not_mounted() -> None:
    flash, _ = formatted()
    assert not PageStore(flash, Geometry(0x10000, 0xA000, 8192)).mount()


def test_programming_takes_its_share() -> None:
    waits: list[float] = []
    busy = Busy(waits.append)
    busy.programmed(256)
    busy.programmed(8)
    busy.erased()
    assert waits == pytest.approx([0.7e-3, 30e-6 + 0.67e-3 * 8 / 256, 45e-3])
