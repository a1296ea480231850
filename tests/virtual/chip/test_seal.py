from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bridge.virtual.chip.seal import SECTOR, Seal, broken_sector

IROM = hashlib.shake_128(b"irom").digest(4 * SECTOR)
SEAL = Seal.of(IROM)


def test_seal_is_found_in_ram() -> None:
    assert Seal.find(b"code" + SEAL.pack() + b"data") == SEAL
    assert Seal.find(b"code of a stock build") is None


@given(st.integers(0, len(IROM) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, change: int) -> None:
    irom = bytearray(IROM)
    irom[at] ^= change
    assert broken_sector(SEAL, bytes(irom), fresh=True) == at // SECTOR


def test_first_sector_belongs_to_the_firmware_after_the_first_boot() -> None:
    irom = bytes(SECTOR) + IROM[SECTOR:]
    assert broken_sector(SEAL, irom, fresh=True) == 0
    assert broken_sector(SEAL, irom, fresh=False) is None


def test_cut_irom_is_broken() -> None:
    assert broken_sector(SEAL, IROM[:-1], fresh=True) == 3
