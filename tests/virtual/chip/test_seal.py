from __future__ import annotations

import hashlib

from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.virtual.chip.seal import SECTOR, Seal, broken_sector

IROM = hashlib.shake_128(b"irom").digest(4 * SECTOR)
HEAD = 100
SEAL = Seal.of(IROM, HEAD)


def test_seal_is_found_in_ram() -> None:
    assert Seal.find(b"code" + SEAL.pack() + b"data") == SEAL
    assert Seal.find(b"code of a stock build") is None


@given(st.one_of(st.integers(0, HEAD - 1), st.integers(SECTOR, len(IROM) - 1)), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, change: int) -> None:
    irom = bytearray(IROM)
    irom[at] ^= change
    assume(irom[1] != 0)
    assert broken_sector(SEAL, bytes(irom)) == at // SECTOR


def test_what_the_firmware_writes_to_the_first_sector_is_no_damage() -> None:
    assert broken_sector(SEAL, IROM[:HEAD] + bytes(SECTOR - HEAD) + IROM[SECTOR:]) is None
    replaced = IROM[:1] + b"\0" + bytes(SECTOR - 2)
    assert broken_sector(SEAL, replaced + IROM[SECTOR:]) is None


def test_cut_irom_is_broken() -> None:
    assert broken_sector(SEAL, IROM[:-1]) == 3


def test_a_sector_that_the_firmware_writes_is_no_damage() -> None:
    seal = Seal.find(Seal.of(IROM, HEAD, written=(2,)).pack())
    assert seal is not None
    changed = IROM[: 2 * SECTOR] + bytes(SECTOR) + IROM[3 * SECTOR :]
    assert broken_sector(SEAL, changed) == 2 and broken_sector(seal, changed) is None
    assert broken_sector(seal, IROM[:SECTOR] + bytes(SECTOR) + IROM[2 * SECTOR :]) == 1
